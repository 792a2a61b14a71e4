//! One case of a `cases.json`, and how it came out.

use sealgate::internals::error::Coded;
use sealgate::internals::error::Failure;
use serde_json::Value;
use std::fmt;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A case.
pub struct Case {
    /// Begins with the topic.
    pub id: String,
    /// The directory of `cases.json`.
    pub topic: String,
    /// Empty where the topic has one kind only.
    pub kind: String,
    /// Whether the vectors say ok.
    pub expect_ok: bool,
    /// Whether careful verifiers may differ.
    pub policy_choice: bool,
    /// Why the verdict is what it is.
    pub reason: String,
    inputs: Value,
    params: Value,
    directory: PathBuf,
}

/// How a case came out.
pub enum Outcome {
    /// Accepted.
    Ok,
    /// Refused, with this code.
    Error(String),
    /// Of a kind that cannot be run yet; never a pass.
    Unsupported,
    /// The case itself could not be read; never a pass, always a failure.
    Broken(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok -"),
            Self::Error(code) => write!(f, "error {code}"),
            Self::Unsupported => f.write_str("unsupported -"),
            Self::Broken(message) => write!(f, "broken {message:?}"),
        }
    }
}

/// Why running a case stopped.
pub enum Stop {
    /// sealgate refused something.
    Refused(String),
    /// As [`Outcome::Unsupported`].
    Unsupported,
    /// As [`Outcome::Broken`].
    Broken(String),
}

/// What running a case gives.
pub type Run<T = ()> = Result<T, Stop>;

impl<E: Coded> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Refused(error.code().into())
    }
}

/// A refusal that is the runner's own, with a code that begins with `vector.`.
pub fn refuse<T>(code: &str) -> Run<T> {
    Err(Stop::Refused(code.into()))
}

/// Refuses an answer that is not that of the vectors.
pub fn answer<T: PartialEq<U>, U>(found: T, expected: U) -> Run {
    if found == expected {
        Ok(())
    } else {
        refuse("vector.other-answer")
    }
}

/// As [`From`] for [`Coded`] errors.
pub fn failed(failure: &Failure) -> Stop {
    Stop::Refused(failure.code.into())
}

impl From<Run> for Outcome {
    fn from(run: Run) -> Self {
        match run {
            Ok(()) => Self::Ok,
            Err(Stop::Refused(code)) => Self::Error(code),
            Err(Stop::Unsupported) => Self::Unsupported,
            Err(Stop::Broken(message)) => Self::Broken(message),
        }
    }
}

fn broken<T>(message: String) -> Run<T> {
    Err(Stop::Broken(message))
}

impl Case {
    /// The cases of `root/topic`.
    pub fn load(root: &Path, topic: &str) -> Result<Vec<Self>, String> {
        let directory = root.join(topic);
        let path = directory.join("cases.json");
        let wrong = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let document: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let cases = document
            .get("cases")
            .and_then(Value::as_array)
            .ok_or_else(|| wrong(&"no list of cases"))?;
        cases
            .iter()
            .map(|case| {
                Self::read(case, topic, &directory)
                    .ok_or_else(|| wrong(&format!("not a case: {case}")))
            })
            .collect()
    }

    fn read(case: &Value, topic: &str, directory: &Path) -> Option<Self> {
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        Some(Self {
            id: text("id")?.into(),
            topic: topic.into(),
            kind: text("kind").unwrap_or_default().into(),
            expect_ok: match text("expect")? {
                "ok" => true,
                "error" => false,
                _ => return None,
            },
            policy_choice: case
                .get("policy_choice")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            reason: text("reason").unwrap_or_default().into(),
            inputs: case
                .get("inputs")
                .filter(|inputs| inputs.is_object())?
                .clone(),
            params: case
                .get("params")
                .filter(|params| params.is_object())?
                .clone(),
            directory: directory.into(),
        })
    }

    #[cfg(test)]
    pub fn for_tests(text: &str) -> Self {
        Self::read(&serde_json::from_str(text).unwrap(), "t", Path::new(".")).unwrap()
    }

    /// A parameter of any type.
    pub fn param(&self, key: &str) -> Option<&Value> {
        self.params.get(key)
    }

    /// The names of all parameters.
    pub fn param_names(&self) -> impl Iterator<Item = &str> {
        self.params
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// A string parameter; `None` when it is absent.
    pub fn text(&self, key: &str) -> Run<Option<&str>> {
        match self.params.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => broken(format!("params.{key} is no string")),
        }
    }

    /// A string parameter that must be there.
    pub fn required(&self, key: &str) -> Run<&str> {
        self.text(key)?
            .ok_or_else(|| Stop::Broken(format!("params.{key} is missing")))
    }

    /// Whether it has this input.
    pub fn has_input(&self, key: &str) -> bool {
        self.inputs.get(key).is_some()
    }

    /// The path of an input.
    pub fn path(&self, key: &str) -> Run<PathBuf> {
        match self.inputs.get(key).and_then(Value::as_str) {
            Some(path) => Ok(self.directory.join(path)),
            None => broken(format!("inputs.{key} is no path")),
        }
    }

    /// The bytes of an input.
    pub fn input(&self, key: &str) -> Run<Vec<u8>> {
        bytes(&self.path(key)?)
    }

    /// The paths of an input that is a list, as they are written.
    pub fn input_paths(&self, key: &str) -> Run<Vec<&str>> {
        let Some(paths) = self.inputs.get(key).and_then(Value::as_array) else {
            return broken(format!("inputs.{key} is no list"));
        };
        let paths: Option<Vec<&str>> = paths.iter().map(Value::as_str).collect();
        paths.ok_or_else(|| Stop::Broken(format!("inputs.{key} is no list of paths")))
    }

    /// The bytes of each file of an input that is a list.
    pub fn inputs(&self, key: &str) -> Run<Vec<Vec<u8>>> {
        let paths = self.input_paths(key)?;
        paths
            .iter()
            .map(|path| bytes(&self.directory.join(path)))
            .collect()
    }
}

/// The bytes of a file that must be there.
pub fn bytes(path: &Path) -> Run<Vec<u8>> {
    fs::read(path).map_err(|error| Stop::Broken(format!("{}: {error}", path.display())))
}

/// JSON that belongs to the case and is not what is tested.
pub fn json(bytes: &[u8]) -> Run<Value> {
    serde_json::from_slice(bytes).map_err(|error| Stop::Broken(error.to_string()))
}
