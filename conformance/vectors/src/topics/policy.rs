//! Topic `policy`: `policy.json` and its parts, the scopes of an image, the names that signatures
//! give.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::refuse;
use crate::package;
use crate::package::Package;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use sealgate::policy::Fulcio;
use sealgate::policy::Matcher;
use sealgate::policy::Pki;
use sealgate::policy::Policy;
use sealgate::policy::Requirement;
use sealgate::policy::Vocabulary;
use sealgate::policy::matcher;
use sealgate::policy::scope;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

pub fn run(case: &Case) -> Run {
    match case.kind.as_str() {
        "policy-parse" => {
            let _: () = drop(Policy::parse(&document(case)?)?);
            Ok(())
        }
        "requirements-parse" => {
            let _: () = drop(Requirement::parse_list(
                &document(case)?,
                Vocabulary::Containers,
            )?);
            Ok(())
        }
        "requirement-parse" => requirement_parse(case),
        "fulcio-parse" => {
            let _: () = drop(Fulcio::parse(&document(case)?)?);
            Ok(())
        }
        "pki-parse" => {
            let _: () = drop(Pki::parse(&document(case)?)?);
            Ok(())
        }
        "identity-parse" => {
            let _: () = drop(Matcher::parse(&document(case)?, Vocabulary::Containers)?);
            Ok(())
        }
        "identity-match" => identity_match(case),
        "remap-prefix" => remap_prefix(case),
        "remap" => remap(case),
        "scope-lookup" => scope_lookup(case),
        "policy-namespaces" => namespaces(case),
        _ => Err(Stop::Unsupported),
    }
}

/// The package reads whole policies: a part stands in one that is good without it.
pub fn through_package(case: &Case, package: &Package) -> Option<Run> {
    let (before, after) = match case.kind.as_str() {
        "scope-lookup" => return Some(rule_of_report(case, package)),
        "policy-parse" => ("", ""),
        "requirements-parse" => (r#"{"default": "#, "}"),
        "requirement-parse" => (r#"{"default": ["#, "]}"),
        "fulcio-parse" => (
            r#"{"default": [{"type": "sigstoreSigned", "rekorPublicKeyPath": "/r", "fulcio": "#,
            "}]}",
        ),
        "pki-parse" => (r#"{"default": [{"type": "sigstoreSigned", "pki": "#, "}]}"),
        "identity-parse" => (
            r#"{"default": [{"type": "sigstoreSigned", "keyPath": "/k", "signedIdentity": "#,
            "}]}",
        ),
        _ => return None,
    };
    let part = document(case).ok()?;
    // What is no JSON value may become one between the others.
    let whole = before.is_empty() || serde_json::from_slice::<Value>(&part).is_ok();
    whole.then(|| {
        package
            .call(
                "policyAssets",
                json!([package::bytes(
                    &[before.as_bytes(), &part, after.as_bytes()].concat()
                )]),
            )
            .map(drop)
    })
}

/// The scope that a report names, also of an image that is not there; a package verifies images of
/// registries only.
fn rule_of_report(case: &Case, package: &Package) -> Run {
    let (transport, text, policy) = (
        case.required("transport")?,
        case.required("reference")?,
        case.input("policy")?,
    );
    if transport != "docker" {
        return Err(Stop::Unsupported);
    }
    let image = reference(text)?.with_default_tag();
    let at = image
        .digest()
        .map(ToString::to_string)
        .or_else(|| image.tag().map(String::from))
        .unwrap_or_default();
    let evidence = json!({"version": 1, "name": text, "repository": image.path(), "reference": at, "answers": [{"path": format!("manifests/{at}"), "status": 404}]});
    let assets = package.call("policyAssets", json!([package::bytes(&policy)]))?;
    let empty: Vec<(String, Value)> = assets
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|path| (path.into(), package::bytes(b"")))
        .collect();
    let options = json!({"policy": package::bytes(&policy), "assets": empty.into_iter().collect::<Map<_, _>>(), "evidence": package::bytes(evidence.to_string().as_bytes())});
    let report = package.call("verifyImage", json!([text, options]))?;
    let expected = match case.param("matched_scope").and_then(Value::as_str) {
        Some(scope)
            if case.param("matched_transport").and_then(Value::as_str) == Some(transport) =>
        {
            format!("docker \"{scope}\"")
        }
        _ => "default".into(),
    };
    answer(
        report.pointer("/rule/scope").and_then(Value::as_str),
        Some(expected.as_str()),
    )
}

/// What is parsed; the vectors call it by two names.
fn document(case: &Case) -> Run<Vec<u8>> {
    case.input(if case.has_input("policy") {
        "policy"
    } else {
        "json"
    })
}

/// The `signedIdentity` in a parameter.
pub fn matcher(case: &Case, param: &str) -> Run<Matcher> {
    let identity = case
        .param(param)
        .ok_or_else(|| Stop::Broken(format!("params.{param} is missing")))?;
    Ok(Matcher::parse(
        identity.to_string().as_bytes(),
        Vocabulary::Containers,
    )?)
}

fn reference(text: &str) -> Run<Reference> {
    Ok(Reference::normalize(text, Grammar::Containers)?)
}

fn requirement_parse(case: &Case) -> Run {
    let requirement = Requirement::parse(&document(case)?, Vocabulary::Containers)?;
    let Some(expected) = case.text("default_identity")? else {
        return Ok(());
    };
    match requirement {
        Requirement::SignedBy(requirement) => answer(requirement.identity.kind(), expected),
        Requirement::SigstoreSigned(requirement) => answer(requirement.identity.kind(), expected),
        _ => refuse("vector.no-identity"),
    }
}

fn identity_match(case: &Case) -> Run {
    let matcher = matcher(case, "identity")?;
    let image = match case.param("image_reference") {
        None | Some(Value::Null) => None,
        Some(_) => Some(reference(case.required("image_reference")?)?),
    };
    if matcher.accepts(image.as_ref(), case.required("signed_reference")?) {
        Ok(())
    } else {
        refuse("vector.no-match")
    }
}

fn remap_prefix(case: &Case) -> Run {
    if matcher::prefix_applies(
        &reference(case.required("reference")?)?,
        case.required("prefix")?,
    ) {
        Ok(())
    } else {
        refuse("vector.no-match")
    }
}

fn remap(case: &Case) -> Run {
    match matcher::remap(
        &reference(case.required("reference")?)?,
        case.required("prefix")?,
        case.required("signedPrefix")?,
    ) {
        Some(result) => answer(result.to_string(), case.required("result")?),
        None => refuse("vector.no-reference"),
    }
}

/// Only identities of `docker:` are references; for other transports none of the vectors' policies
/// has scopes, so that any identity finds the default.
fn scope_lookup(case: &Case) -> Run {
    let policy = Policy::parse(&case.input("policy")?)?;
    let (transport, text) = (case.required("transport")?, case.required("reference")?);
    let selection = if transport == "docker" {
        policy.select(&reference(text)?)?
    } else {
        policy.select_for(transport, text, &[])
    };
    answer(
        selection.key,
        case.param("matched_scope").and_then(Value::as_str),
    )?;
    match case.param("matched_transport").and_then(Value::as_str) {
        Some(transport) => answer(selection.scope.split(' ').next(), Some(transport)),
        None => answer(selection.scope.as_str(), "default"),
    }
}

fn namespaces(case: &Case) -> Run {
    let image = reference(case.required("reference")?)?;
    answer(scope::docker_identity(&image)?, case.required("identity")?)?;
    let expected = case
        .param("namespaces")
        .and_then(Value::as_array)
        .ok_or_else(|| Stop::Broken("params.namespaces is no list".into()))?;
    answer(
        scope::docker_namespaces(&image)
            .iter()
            .map(String::as_str)
            .map(Some)
            .collect::<Vec<_>>(),
        expected.iter().map(Value::as_str).collect::<Vec<_>>(),
    )
}
