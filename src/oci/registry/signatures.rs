//! Simple signatures beside a registry: a lookaside, which an operator names, and the registry's own
//! extension (docs/containers-image.md section 7).
//!
//! Out of scope: what they say. A lookaside is another host: it is never given what is secret
//! between user and registry.

use super::Registry;
use super::error::RegistryError;
use super::error::clean;
use super::transport;
use super::transport::Call;
use super::transport::Redirects;
use crate::digest::Digest;
use crate::error::HostError;
use crate::host::Egress;
use crate::host::Host;
use crate::host::Request;
use crate::limits;
use crate::oci::url::Url;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What a registry says at `/v2/` that has the extension.
const EXTENSION: &str = "x-registry-supports-signatures";

impl<H: Host> Registry<'_, H> {
    /// The file at this address of a lookaside (http, https or file); `None` where there is none.
    ///
    /// # Errors
    /// [`RegistryError`]; whatever a lookaside answers but 200 and 404 is one.
    pub(crate) async fn lookaside(
        &self,
        address: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let read = match Url::parse(address) {
            Some(url) => self.lookaside_at(&url, max).await,
            None if address.starts_with("file:///") => self.lookaside_file(address, max).await,
            None => Err(RegistryError::Address {
                text: clean(address, limits::NAME),
            }),
        };
        read.map_err(|error| self.told(error))
    }

    async fn lookaside_at(&self, url: &Url, max: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        let call = Call {
            method: "GET",
            url,
            accept: "*/*",
            secret: &[],
            body: None,
            max,
            egress: Egress::Operator,
            redirects: Redirects::OwnHost(&self.egress),
        };
        let answer = transport::send(self.host, &call).await?;
        match answer.status() {
            200 => Ok(Some(answer.response.body)),
            404 => Ok(None),
            status => Err(RegistryError::Lookaside {
                url: answer.url.shown(),
                status,
            }),
        }
    }

    /// A folder of this machine, where whoever fetches has one: it answers with 200 and 404.
    async fn lookaside_file(
        &self,
        address: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let request = Request {
            method: "GET",
            url: address.into(),
            headers: Vec::new(),
            body: None,
            max_bytes: max,
            egress: Egress::Operator,
            sign: None,
        };
        let url = || clean(address, limits::ADDRESS);
        let answer = self
            .host
            .fetch(request)
            .await
            .map_err(|error| error.at(url()))?;
        match answer.status {
            200 if answer.body.len() > max => Err(HostError::TooLarge {
                url: url(),
                limit: max,
            }
            .into()),
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(RegistryError::Lookaside { url: url(), status }),
        }
    }

    /// What the registry's extension lists for this manifest, as it came; `None` where the registry
    /// does not have the extension, which takes the place of a lookaside.
    ///
    /// # Errors
    /// [`RegistryError`]; whatever the extension answers but 200 is one.
    pub(crate) async fn signatures(
        &self,
        digest: &Digest,
        max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        if !self.has_signatures().await? {
            return Ok(None);
        }
        let url = self.base.at(&format!(
            "{}/extensions/v2/{}/signatures/{digest}",
            self.base.target().trim_end_matches('/'),
            self.repository
        ));
        let answer = self.ask("GET", &url, "*/*", max, self.followed()).await?;
        match answer.status() {
            200 => Ok(Some(answer.response.body)),
            404 => Err(self.told(
                HostError::Status {
                    url: answer.url.shown(),
                    status: 404,
                    expected: "200",
                }
                .into(),
            )),
            _ => Err(self.error(&answer, "200")),
        }
    }

    /// Asked once, without an answer to its challenge: the header stands beside that, too.
    async fn has_signatures(&self) -> Result<bool, RegistryError> {
        if let Some(known) = self.session.with(|session| session.has_signatures) {
            return Ok(known);
        }
        let (url, max) = (self.api_url(), limits::ERROR_BODY);
        let answer = self
            .send("GET", &url, "*/*", max, Redirects::Returned)
            .await?;
        if !matches!(answer.status(), 200 | 401) {
            return Err(self.error(&answer, "200 or 401"));
        }
        let has = answer.response.header(EXTENSION).map(String::from) == Some("1".into());
        self.session
            .with(|session| session.has_signatures = Some(has));
        Ok(has)
    }
}
