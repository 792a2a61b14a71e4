//! The parsed policy and its JSON, side by side: each requirement with the bytes that it stands in.

use super::context::Context;
use crate::encoding::json::Member;
use crate::encoding::json::Node;
use crate::encoding::json::quote;
use crate::keyed::Keyed;
use crate::limits;
use crate::policy::Coverage;
use crate::policy::Matcher;
use crate::policy::Policy;
use crate::policy::Requirement;
use crate::policy::Trust;
use crate::policy::error::Place;
use crate::policy::error::shown;
use crate::policy::field;
use crate::policy::scope;
use crate::reference::Grammar;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A policy that parsed.
pub(super) struct Document<'a> {
    pub policy: &'a Policy,
    pub root: &'a Node,
    pub bytes: &'a [u8],
    pub context: &'a Context<'a>,
    /// Every list of requirements, the default first.
    pub scopes: Vec<Scope<'a>>,
    /// Numbers in `scopes`, by transport and key.
    index: Keyed<Keyed<usize>>,
}

/// A list of requirements.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// `None` is the default.
    pub transport: Option<&'a str>,
    pub key: &'a str,
    /// The member that holds the list.
    pub member: &'a Member,
    pub requirements: &'a [Requirement],
}

/// One requirement.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub scope: Scope<'a>,
    pub number: usize,
    pub node: &'a Node,
    pub requirement: &'a Requirement,
}

impl<'a> Document<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        root: &'a Node,
        bytes: &'a [u8],
        context: &'a Context<'a>,
    ) -> Self {
        let members = |node: &'a Node| node.as_object().unwrap_or_default();
        let default = members(root).iter().find(|member| member.key == "default");
        let default = default.map(|member| Scope {
            transport: None,
            key: "",
            member,
            requirements: &policy.default,
        });
        let transports = root.member("transports").map(members).unwrap_or_default();
        let scoped = transports
            .iter()
            .zip(&policy.transports)
            .flat_map(|(outer, transport)| {
                let scope = |(member, (key, requirements)): (
                    &'a Member,
                    &'a (String, Vec<Requirement>),
                )| Scope {
                    transport: Some(&transport.name),
                    key,
                    member,
                    requirements,
                };
                members(&outer.node)
                    .iter()
                    .zip(&transport.scopes)
                    .map(scope)
            });
        let scopes: Vec<Scope<'a>> = default.into_iter().chain(scoped).collect();
        let mut index: Keyed<Keyed<usize>> = Keyed::default();
        for (number, scope) in scopes.iter().enumerate() {
            if let Some(keys) = scope.transport.and_then(|transport| index.of(transport)) {
                keys.insert(scope.key, number);
            }
        }
        Self {
            policy,
            root,
            bytes,
            context,
            scopes,
            index,
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            pointer: String::new(),
            at: self.root.span.start,
        }
    }

    /// The bytes of a value as text.
    pub(super) fn text(&self, node: &Node) -> &'a str {
        self.bytes
            .get(node.span.clone())
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item<'a>> {
        self.scopes.iter().copied().flat_map(Scope::items)
    }

    /// The scopes of one transport.
    pub(super) fn of_transport(&self, transport: &str) -> impl Iterator<Item = Scope<'a>> {
        self.scopes
            .iter()
            .copied()
            .filter(move |scope| scope.transport == Some(transport))
    }

    pub(super) fn find(&self, transport: &str, key: &str) -> Option<Scope<'a>> {
        self.index
            .get(transport)
            .and_then(|keys| keys.get(key))
            .and_then(|number| self.scopes.get(*number))
            .copied()
    }

    /// What would decide if `scope` were not there.
    pub(super) fn above(&self, scope: Scope<'a>) -> Option<Scope<'a>> {
        let transport = scope.transport?;
        let found = parents(transport, scope.key)
            .iter()
            .find_map(|parent| self.find(transport, parent));
        let whole = || self.find(transport, "").filter(|_| !scope.key.is_empty());
        found
            .or_else(whole)
            .or_else(|| self.scopes.first().copied())
    }

    /// Whether each image of an index needs its own signatures.
    pub(super) fn is_by_instance(&self) -> bool {
        self.policy.coverage() == Coverage::Instance
    }
}

impl<'a> Scope<'a> {
    pub(super) fn is_docker(self) -> bool {
        self.transport == Some("docker")
    }

    /// As people call it.
    pub(super) fn shown(self) -> String {
        match self.transport {
            None => "default".into(),
            Some(transport) => format!("{transport} {}", quote(&shown(self.key))),
        }
    }

    fn pointer(self) -> String {
        let mut pointer = String::new();
        match self.transport {
            None => field::push_key(&mut pointer, "default"),
            Some(transport) => {
                field::push_key(&mut pointer, "transports");
                field::push_key(&mut pointer, transport);
                field::push_scope(&mut pointer, self.key);
            }
        }
        pointer
    }

    /// Where its key stands.
    pub(super) fn place(self) -> Place {
        Place {
            pointer: self.pointer(),
            at: self.member.key_span.start,
        }
    }

    pub(super) fn items(self) -> impl Iterator<Item = Item<'a>> {
        let nodes = self.member.node.as_array().unwrap_or_default();
        nodes
            .iter()
            .zip(self.requirements)
            .enumerate()
            .map(move |(number, (node, requirement))| Item {
                scope: self,
                number,
                node,
                requirement,
            })
    }
}

impl<'a> Item<'a> {
    pub(super) fn place(self) -> Place {
        let mut pointer = self.scope.pointer();
        field::push_index(&mut pointer, self.number);
        Place {
            pointer,
            at: self.node.span.start,
        }
    }

    /// The place of a member, or of the requirement where it has none of this name.
    pub(super) fn place_of(self, key: &str) -> Place {
        let Place { mut pointer, at } = self.place();
        let Some(node) = self.node.member(key) else {
            return Place { pointer, at };
        };
        field::push_key(&mut pointer, key);
        Place {
            pointer,
            at: node.span.start,
        }
    }

    /// Whom signatures must come from.
    pub(super) fn trust(self) -> Option<&'a Trust> {
        match self.requirement {
            Requirement::SigstoreSigned(signed) => Some(&signed.trust),
            Requirement::Attested(attested) => Some(&attested.trust),
            _ => None,
        }
    }

    /// What signatures must name.
    pub(super) fn matcher(self) -> Option<&'a Matcher> {
        match self.requirement {
            Requirement::SigstoreSigned(signed) => Some(&signed.identity),
            Requirement::SignedBy(signed) => Some(&signed.identity),
            _ => None,
        }
    }
}

/// The scopes that an image of scope `key` is looked up under after it, but for `""`.
fn parents(transport: &str, key: &str) -> Vec<String> {
    match transport {
        // Longer ones match no image.
        _ if key.len() > limits::REFERENCE => Vec::new(),
        "docker" | "atomic" => docker_parents(key),
        "oci" | "oci-archive" | "dir" | "sif" => {
            let mut paths = vec![];
            let mut path = key;
            while let Some((parent, _)) = path
                .rsplit_once('/')
                .filter(|(parent, _)| !parent.is_empty())
            {
                paths.push(parent.into());
                path = parent;
            }
            paths
        }
        _ => Vec::new(),
    }
}

/// Of a docker scope; also how `registries.d` is looked up for it.
pub(super) fn docker_parents(key: &str) -> Vec<String> {
    if let Some(domain) = key.strip_prefix("*.") {
        let labels = domain
            .match_indices('.')
            .filter_map(|(at, _)| domain.get(at..));
        return labels.map(|rest| format!("*{rest}")).collect();
    }
    let named = Reference::parse(key, Grammar::Containers)
        .ok()
        .filter(|reference| !reference.domain().is_empty());
    let (reference, own) = match named {
        Some(reference) if reference.is_bare() => (reference, 1),
        Some(reference) => (reference, 0),
        // A host: its namespaces are those of anything in it, but for the first two.
        None => match Reference::parse(&format!("{key}/x"), Grammar::Containers) {
            Ok(reference) => (reference, 2),
            Err(_) => return Vec::new(),
        },
    };
    scope::docker_namespaces(&reference)
        .into_iter()
        .skip(own)
        .collect()
}
