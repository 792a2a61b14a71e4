//! Manifests: fetched, hashed, judged, and those very bytes sent.

use super::action::{Action, Respond};
use super::answer;
use super::context::{Context, Resource};
use super::judge::Judge;
use super::links::descriptors;
use super::log::{LogLine, Resolution};
use super::memory::EVIDENCE;
use super::stop::Stop;
use crate::crypto::Provider;
use crate::digest::{Digest, DigestError};
use crate::error::Failure;
use crate::host::{Host, Store};
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::registry::{Fetched, RegistryError};
use crate::verify::Subject;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `GET /v2/`: whether the client needs to authenticate is the upstream's to say.
pub(super) async fn ping<R: Host + Store>(context: &Context<'_, R>) -> Action {
    match context.registry.ping().await {
        Ok(()) => answer::json(200, "{}".into()),
        Err(error) => answer::stopped(context, &Resource::Ping, Stop::Upstream(error)),
    }
}

pub(super) async fn serve<R: Host + Provider + Store>(
    judge: &Judge<'_, R>,
    reference: &str,
) -> Action {
    match judge.manifest(reference).await {
        Ok(respond) => Action::Respond(respond),
        Err(stop) => answer::stopped(judge.context, &Resource::Manifest(reference), stop),
    }
}

/// Under audit, where the policy is none: the registry alone decides, and bytes are still those of
/// the digest.
pub(super) async fn serve_unjudged<R: Host + Store>(
    context: &Context<'_, R>,
    reference: &str,
    failure: &Failure,
) -> Action {
    let resource = Resource::Manifest(reference);
    match context.find(reference).await {
        Ok((subject, asked, _)) => {
            let log = answer::decision(context, Resolution::Audit, &resource, failure);
            Action::Respond(respond(&subject, &asked, log))
        }
        Err(stop) => answer::stopped(context, &resource, stop),
    }
}

impl<R: Host + Provider + Store> Judge<'_, R> {
    async fn manifest(&self, reference: &str) -> Result<Respond, Stop> {
        let context = self.context;
        let (subject, asked, tag) = context.find(reference).await?;
        let resource = Resource::Manifest(reference);
        let (resolution, reason, signers) = match self.allow(&subject, &asked, tag).await {
            Ok((reason, signers)) => (Resolution::Allow, reason, signers),
            Err(stop) => (
                Resolution::Audit,
                self.unless_audited(stop, &resource).await?,
                Vec::new(),
            ),
        };
        let log = |judge: &Self| {
            answer::decision(judge.context, resolution, &resource, &reason).signed_by(signers)
        };
        if context.settings.beside {
            return Ok(respond(&subject, &asked, log(self)));
        }
        let listed = descriptors(&subject.document);
        let listed = listed.into_iter().map(|descriptor| &descriptor.digest);
        context
            .hints
            .remember(&subject.digest, listed, tag, context.now())
            .await;
        // Only what was allowed, and only where its type follows from its bytes alone.
        if resolution == Resolution::Allow
            && !context.memory.has_content(&asked)
            && subject.reads_alone()
        {
            context.memory.keep_content(&asked, &subject).await;
        }
        Ok(respond(&subject, &asked, log(self)))
    }

    /// Why these bytes may go out, and whose signatures say so.
    async fn allow(
        &self,
        subject: &Subject,
        asked: &Digest,
        tag: Option<&str>,
    ) -> Result<(Failure, Vec<String>), Stop> {
        self.check_trust(subject)?;
        refuse_other_sources(subject, self.context.settings.foreign_layers)?;
        if self.context.is_evidence(subject).await? {
            let message = "signatures and attestations, recognised by their bytes";
            return Ok((Failure::new(EVIDENCE, message), Vec::new()));
        }
        let ruling = match tag {
            Some(tag) => self.judge_as(subject, &self.context.name(tag)?).await?,
            None => self.admit(subject, asked).await?,
        };
        Ok((ruling.reason, ruling.signers))
    }
}

impl<R: Host + Store> Context<'_, R> {
    /// What this tag or digest is, by which digest it was asked for, and by which tag.
    async fn find<'t>(
        &self,
        reference: &'t str,
    ) -> Result<(Rc<Subject>, Digest, Option<&'t str>), Stop> {
        if let Ok(digest) = Digest::parse(reference) {
            return Ok((self.by_digest(&digest).await?, digest, None));
        }
        let subject = self.by_tag(reference).await?;
        let digest = subject.digest.clone();
        Ok((subject, digest, Some(reference)))
    }

    /// The upstream's HEAD at every request; its digest only selects bytes, which are hashed.
    async fn by_tag(&self, tag: &str) -> Result<Rc<Subject>, Stop> {
        match self.registry.head(tag).await {
            Ok(None) => return Err(Stop::Missing),
            Ok(Some(head)) => {
                if let Some(digest) = head.digest.and_then(|text| Digest::parse(&text).ok()) {
                    return self.asked_subject(&digest).await;
                }
            }
            // The GET decides.
            Err(error) if is_head_unknown(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let mut fetched = self.fetch_manifest(tag).await?;
        if check_own_digest(&fetched).is_err() {
            fetched = self.fetch_manifest(tag).await?;
            check_own_digest(&fetched).map_err(Stop::denied)?;
        }
        Subject::read(fetched.bytes, fetched.content_type.as_deref(), None)
            .map(Rc::new)
            .map_err(Stop::Denied)
    }

    /// Bytes that are kept, or that another request fetches, go out only after the upstream accepted
    /// this request's own credentials.
    async fn by_digest(&self, digest: &Digest) -> Result<Rc<Subject>, Stop> {
        if self.memory.has_content(digest) || self.memory.is_under_way(digest) {
            match self.registry.head(&digest.to_string()).await {
                Ok(Some(_)) => {}
                Ok(None) => return Err(Stop::Missing),
                Err(error) if is_head_unknown(&error) => return self.fetch_subject(digest).await,
                Err(error) => return Err(error.into()),
            }
        }
        self.asked_subject(digest).await
    }
}

/// Some registries know no HEAD; others answer it without a digest.
fn is_head_unknown(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Refused {
            status: 400 | 405 | 406,
            ..
        }
    )
}

/// Whether the registry sent what it says that it sends.
fn check_own_digest(fetched: &Fetched) -> Result<(), DigestError> {
    let digest = fetched.digest.as_deref();
    digest
        .and_then(|text| Digest::parse(text).ok())
        .map_or(Ok(()), |digest| digest.check(&fetched.bytes))
}

/// What has `urls` makes clients leave the gateway, and an image that stands in its index is never
/// asked for here: containerd fetches from `urls` first whatever it is, and takes `data` for
/// fetched. Where the operator lets them, layers that are foreign by their type may have some: their
/// digests stand in what is judged, and clients check them.
fn refuse_other_sources(subject: &Subject, foreign_layers: bool) -> Result<(), Stop> {
    let is_index = matches!(subject.document, Document::Index(_));
    for (at, descriptor) in descriptors(&subject.document).into_iter().enumerate() {
        // The config comes first.
        if foreign_layers && !is_index && at > 0 && is_foreign_layer(descriptor) {
            continue;
        }
        let source = match descriptor.urls.first() {
            Some(url) => {
                let url: String = url.chars().take(200).collect();
                format!("from another address ({url})")
            }
            None if is_index && descriptor.embedded => "from the index itself".into(),
            None => continue,
        };
        return Err(Stop::Denied(Failure::new(
            "gateway.foreign-layer",
            format!(
                "clients would take {} {source}, past this gateway: push it with all its content \
                 in this registry (FOREIGN_LAYERS=allow lets layers of old Windows images pass)",
                descriptor.digest
            ),
        )));
    }
    Ok(())
}

/// OCI image specification, "Non-Distributable Layers", and image manifest version 2 schema 2,
/// "Media Types".
fn is_foreign_layer(descriptor: &Descriptor) -> bool {
    let kind = descriptor.media_type.as_str();
    kind == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        || kind.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar")
}

fn respond(subject: &Subject, digest: &Digest, log: LogLine) -> Respond {
    let kind = subject.document.media_type();
    let mut respond = answer::content(kind, subject.bytes.clone(), Some(digest));
    respond.headers.push(answer::api_version());
    respond.log = Some(log);
    respond
}
