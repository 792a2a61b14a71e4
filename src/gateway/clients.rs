//! `CLIENTS` (docs/gateway.md "Signing in"): who may ask this gateway, and for what. Of a token, which
//! is generated, its SHA-256 is kept alone.

use super::action::ClientRequest;
use super::config::{ConfigError, quoted};
use super::entries::Entries;
use crate::digest::sha256;
use crate::encoding::json::{self, Dialect, Node};
use crate::encoding::{base64, hex};
use crate::limits;
use crate::reference::{Grammar, Reference};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use subtle::{Choice, ConstantTimeEq};

/// Characters of a token, at least: what somebody thought up is shorter.
const TOKEN: usize = 32;
/// Characters of a name, at most.
const NAME: usize = 128;

/// One of those who may ask.
#[derive(Debug)]
pub(super) struct Client {
    pub name: String,
    /// Of the name, so that comparing takes the same time for all.
    name_hash: [u8; 32],
    token_hash: [u8; 32],
    /// As policies have them: a registry, or a path of whole components in it.
    repositories: Vec<String>,
}

impl Client {
    /// Whether it may have what is in this repository, by the name that policies have for it.
    pub(super) fn may_read(&self, repository: &str) -> bool {
        self.repositories.iter().any(|allowed| {
            repository
                .strip_prefix(allowed.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Clients(Vec<Client>);

impl Clients {
    /// Each may have repositories of these registries; one of another would be a mistake.
    pub(super) fn read(text: &str, entries: &Entries) -> Result<Self, ConfigError> {
        if text.len() > limits::SIGN_IN {
            return Err(wrong("at most 1 MiB".into()));
        }
        let root = json::parse(text.as_bytes(), Dialect::Strict)
            .map_err(|error| wrong(format!("a JSON list: {error}")))?;
        let listed = root.as_array().unwrap_or_default();
        if !(1..=limits::CLIENTS).contains(&listed.len()) {
            return Err(wrong(format!(
                "a JSON list of 1 to {} clients, found {}",
                limits::CLIENTS,
                listed.len()
            )));
        }
        let mut clients: Vec<Client> = Vec::new();
        for node in listed {
            let client = client(node, entries)?;
            if clients.iter().any(|known| known.name == client.name) {
                return Err(wrong(format!(
                    "each name once, found {:?} twice",
                    client.name
                )));
            }
            clients.push(client);
        }
        Ok(Self(clients))
    }

    /// Who asks. Every attempt is compared with every client, whatever of it is right.
    pub(super) fn who(&self, request: &ClientRequest) -> Option<&Client> {
        let (name, token) = basic(request.header("authorization")?)?;
        let (name, hash) = (sha256(name.as_bytes()), sha256(token.as_bytes()));
        let is_long = token.chars().count() >= TOKEN;
        let mut found = None;
        for client in &self.0 {
            let is_it: Choice = client.name_hash.ct_eq(&name) & client.token_hash.ct_eq(&hash);
            if bool::from(is_it) {
                found = Some(client);
            }
        }
        found.filter(|_| is_long)
    }
}

/// RFC 7617.
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || credentials.len() > limits::BASIC {
        return None;
    }
    let pair = String::from_utf8(base64::decode(credentials.trim())?).ok()?;
    let (name, token) = pair.split_once(':')?;
    Some((name.into(), token.into()))
}

fn wrong(expected: String) -> ConfigError {
    ConfigError::Clients { expected }
}

fn client(node: &Node, entries: &Entries) -> Result<Client, ConfigError> {
    let members = node.as_object().unwrap_or_default();
    let known = ["name", "sha256", "repositories"];
    let are_known = members
        .iter()
        .all(|member| known.contains(&member.key.as_str()));
    let text = |name: &str| node.member(name).and_then(Node::as_str);
    let name = text("name").filter(|name| is_name(name));
    let (Some(name), true) = (name, are_known) else {
        return Err(wrong(format!(
            "each client to be {{\"name\", \"sha256\", \"repositories\"}}, its name 1 to {NAME} \
             letters, digits and . _ - @, found something else"
        )));
    };
    let hash = text("sha256").and_then(hex::decode);
    let hash: Option<[u8; 32]> = hash.and_then(|hash| hash.try_into().ok());
    let token_hash = hash.ok_or_else(|| {
        wrong(format!(
            "of {name:?} the SHA-256 of its token as \"sha256\", 64 hexadecimal digits: printf %s \
             \"$(openssl rand -hex 32)\" makes a token, | sha256sum its SHA-256"
        ))
    })?;
    Ok(Client {
        name_hash: sha256(name.as_bytes()),
        token_hash,
        repositories: repositories(name, node, entries)?,
        name: name.into(),
    })
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    (1..=NAME).contains(&name.len()) && name.chars().all(fits)
}

fn repositories(name: &str, node: &Node, entries: &Entries) -> Result<Vec<String>, ConfigError> {
    let listed = node.member("repositories").and_then(Node::as_array);
    let listed = listed.unwrap_or_default();
    if !(1..=limits::CLIENT_REPOSITORIES).contains(&listed.len()) {
        return Err(wrong(format!(
            "of {name:?} a list of 1 to {} \"repositories\", found {}",
            limits::CLIENT_REPOSITORIES,
            listed.len()
        )));
    }
    let mut all: Vec<String> = Vec::new();
    for node in listed {
        let text = node.as_str().unwrap_or_default();
        if !entries.iter().any(|entry| is_path_of(&entry.name, text)) {
            return Err(wrong(format!(
                "of {name:?} repositories such as {entries}/team, whole components of names as \
                 policies have them, found {:?}",
                quoted(text)
            )));
        }
        all.extend(official(text));
        all.push(text.into());
    }
    Ok(all)
}

/// What `docker.io/nginx` is, too: Docker Hub keeps official images under `library/`.
fn official(text: &str) -> Option<String> {
    let own = text.strip_prefix("docker.io/")?;
    let is_one = !own.contains('/') && own != "library";
    is_one.then(|| format!("docker.io/library/{own}"))
}

/// Whether it is this registry, or a path there.
fn is_path_of(registry: &str, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(registry) else {
        return false;
    };
    let Some(path) = rest.strip_prefix('/') else {
        return rest.is_empty();
    };
    Reference::parse(&format!("h.example/{path}"), Grammar::Containers)
        .is_ok_and(|bare| bare.is_bare() && bare.path() == path)
}
