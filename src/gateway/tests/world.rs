//! A registry, a store and a provider that do what each test says.

use super::*;
use alloc::boxed::Box;

/// The lookaside that some tests name; its content has the rest of the address as its path.
pub(super) const LOOKASIDE: &str = "http://10.0.0.7/";

/// The end of a path, how often to answer so, and the answer.
type Fault = (String, usize, Result<Response, HostError>);

/// What stands before the registry, or beside it.
type Service = Box<dyn Fn(&crate::host::Request) -> Option<Response>>;

/// Status, headers and body.
type Sent = (u16, Vec<(String, String)>, Vec<u8>);

/// A registry at `http://up.test`, a store, and what is to go wrong.
#[derive(Default)]
pub(super) struct World {
    /// `repository/manifests/reference` and `repository/blobs/digest`: content and type.
    pub(super) content: RefCell<BTreeMap<String, (Vec<u8>, String)>>,
    /// Answers for the first request that contains this text, as often as it says.
    pub(super) faults: RefCell<Vec<Fault>>,
    pub(super) asked: RefCell<Vec<String>>,
    /// The credentials that came with it, where any did.
    pub(super) borne: RefCell<Vec<String>>,
    pub(super) store: RefCell<BTreeMap<String, String>>,
    /// The records of each log, with the time at which they came and their place.
    pub(super) logs: RefCell<BTreeMap<String, Vec<(String, String)>>>,
    /// Its store gives no answer to questions about logs.
    pub(super) forgetful: Cell<bool>,
    /// Records in one piece of a log; all where it is 0.
    pub(super) piece: Cell<usize>,
    /// Pieces of logs that were asked for.
    pub(super) pieces: RefCell<Vec<LogQuestion>>,
    pub(super) private: Cell<bool>,
    /// HEAD says nothing of digests.
    pub(super) mute: Cell<bool>,
    pub(super) checks: Cell<usize>,
    /// Signatures are real ones.
    pub(super) real: Cell<bool>,
    /// How often the store was asked.
    pub(super) loads: Cell<usize>,
    /// Bytes of records that were loaded or saved.
    pub(super) carried: Cell<usize>,
    /// What went out in pieces.
    pub(super) sent: RefCell<Option<Sent>>,
    /// Answers before anything else does, where it has an answer.
    pub(super) service: RefCell<Option<Service>>,
    /// What happens while somebody waits for a turn; once.
    pub(super) meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    /// Bytes after which whoever takes it goes away.
    pub(super) taken: Cell<usize>,
}

impl Host for World {
    async fn fetch(&self, request: crate::host::Request) -> Result<Response, HostError> {
        let line = format!("{} {}", request.method, request.url);
        self.asked.borrow_mut().push(line.clone());
        let mut headers = request.headers.iter();
        let borne = headers.find(|(name, _)| name == "authorization");
        let borne = borne.map(|(_, value)| value.clone());
        self.borne.borrow_mut().extend(borne);
        if let Some(service) = &*self.service.borrow()
            && let Some(answer) = service(&request)
        {
            return Ok(answer);
        }
        let fault = self
            .faults
            .borrow_mut()
            .iter_mut()
            .find(|(part, left, _)| line.contains(part) && *left > 0)
            .map(|(_, left, outcome)| {
                *left -= 1;
                outcome.clone()
            });
        if let Some(outcome) = fault {
            return outcome;
        }
        let authorised = request
            .headers
            .iter()
            .any(|(name, value)| name == "authorization" && value == TOKEN);
        if let Some(path) = request.url.strip_prefix(LOOKASIDE) {
            assert!(!authorised, "what is the registry's goes to nobody else");
            let found = self.content.borrow().get(path).cloned();
            return Ok(match found {
                Some((bytes, _)) => response(200, &[], &bytes),
                None => response(404, &[], b""),
            });
        }
        if self.private.get() && !authorised {
            let challenge = "Bearer realm=\"https://auth.test/token\",service=\"up\"";
            return Ok(response(401, &[("www-authenticate", challenge)], b""));
        }
        let path = request
            .url
            .strip_prefix("http://up.test/v2/")
            .expect("nobody else is asked");
        let Some((bytes, kind)) = self.content.borrow().get(path).cloned() else {
            return Ok(response(404, &[], b""));
        };
        let digest = Digest::of(&bytes).to_string();
        let mut headers = vec![("content-type", kind.as_str())];
        if !self.mute.get() {
            headers.push(("docker-content-digest", &digest));
        }
        Ok(response(
            200,
            &headers,
            if request.method == "HEAD" {
                b""
            } else {
                &bytes
            },
        ))
    }
}

impl Provider for World {
    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        self.checks.set(self.checks.get() + 1);
        if self.real.get() {
            return crate::crypto::RustCrypto.verify(check).await;
        }
        if check.signature().get(1..9) == Some(&NO_ANSWER) {
            return Err(HostError::Provider {
                reason: "the platform does not take this key".into(),
            });
        }
        let crate::crypto::Message::Bytes(message) = check.message() else {
            return Ok(Outcome::Fails);
        };
        Ok(if check.signature() == mark(check.key(), message) {
            Outcome::Holds
        } else {
            Outcome::Fails
        })
    }
}

impl Store for World {
    async fn load(&self, key: &str) -> Option<String> {
        self.loads.set(self.loads.get() + 1);
        let found = self.store.borrow().get(key).cloned();
        let length = found.as_ref().map_or(0, String::len);
        self.carried.set(self.carried.get() + length);
        found
    }

    async fn lock(&self, _key: &str) {
        let happens = self.meanwhile.borrow_mut().take();
        if let Some(happens) = happens {
            happens();
        }
    }

    async fn save(&self, key: &str, value: &str, _seconds: u32) {
        self.carried.set(self.carried.get() + value.len());
        self.store.borrow_mut().insert(key.into(), value.into());
    }

    async fn append(&self, log: &str, record: &str, seconds: u32) {
        assert!(!record.contains("\n\n") && seconds == 7 * 86_400);
        let mut logs = self.logs.borrow_mut();
        let records = logs.entry(log.into()).or_default();
        let place = format!("{:06}", records.len() + 1);
        records.push((place, record.into()));
    }

    async fn read_back(&self, question: &LogQuestion) -> Option<String> {
        self.pieces.borrow_mut().push(question.clone());
        if self.forgetful.get() {
            return None;
        }
        let logs = self.logs.borrow();
        let Some(records) = logs.get(&question.log) else {
            return Some("\n\n".into());
        };
        let is_asked = |(place, record): &&(String, String)| {
            (question.before.is_empty() || *place < question.before)
                && (question.holding.is_empty()
                    || question.holding.iter().any(|text| record.contains(text)))
        };
        let most = match self.piece.get() {
            0 => usize::MAX,
            most => most,
        };
        let piece: Vec<_> = records.iter().rev().filter(is_asked).take(most).collect();
        let last = piece.last().filter(|_| piece.len() == most);
        let before = last.map(|(place, _)| place.as_str());
        let day: i64 = question.log.rsplit('/').next()?.parse().ok()?;
        let texts: Vec<&str> = piece.iter().map(|(_, record)| record.as_str()).collect();
        Some(format!(
            "{}\n{}\n{}",
            day * 86_400,
            before.unwrap_or_default(),
            texts.join("\n\n")
        ))
    }
}

impl Sink for World {
    async fn begin(&self, status: u16, headers: &[(String, String)]) {
        *self.sent.borrow_mut() = Some((status, headers.to_vec(), Vec::new()));
    }

    async fn write(&self, piece: Vec<u8>) -> bool {
        let mut sent = self.sent.borrow_mut();
        let (_, _, body) = sent.as_mut().expect("it has begun");
        assert!(piece.len() <= 1 << 20, "no piece is large");
        body.extend(piece);
        body.len() < self.taken.get()
    }
}

impl World {
    pub(super) fn blob(&self, repository: &str, bytes: &[u8]) {
        self.content.borrow_mut().insert(
            format!("{repository}/blobs/{}", Digest::of(bytes)),
            (bytes.to_vec(), "application/octet-stream".into()),
        );
    }

    pub(super) fn put(&self, repository: &str, tag: &str, kind: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        for reference in [tag, &digest.to_string()] {
            self.content.borrow_mut().insert(
                format!("{repository}/manifests/{reference}"),
                (bytes.to_vec(), kind.into()),
            );
        }
        digest
    }

    /// An image with one layer, which is its text.
    pub(super) fn image(&self, repository: &str, tag: &str, text: &str) -> (Digest, Vec<u8>) {
        let config = format!(r#"{{"os":"linux","text":"{text}"}}"#);
        self.blob(repository, config.as_bytes());
        self.blob(repository, text.as_bytes());
        let bytes = manifest(
            &descriptor(CONFIG, config.as_bytes(), ""),
            &[descriptor(LAYER, text.as_bytes(), "")],
        );
        (self.put(repository, tag, MANIFEST, &bytes), bytes)
    }

    /// Signs as `identity`, beside what is there.
    pub(super) fn sign(
        &self,
        repository: &str,
        digest: &Digest,
        identity: &str,
        key: &[u8],
    ) -> Digest {
        let payload = payload(digest, identity, "null");
        let signature = base64::encode(&mark(
            &PublicKey::from_pem(key).unwrap(),
            payload.as_bytes(),
        ));
        self.blob(repository, payload.as_bytes());
        self.blob(repository, b"{}");
        let layer = descriptor(
            SIMPLE,
            payload.as_bytes(),
            &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
        );
        self.put(
            repository,
            &format!("sha256-{}.sig", digest.hex()),
            MANIFEST,
            &artifact(&[layer]),
        )
    }

    pub(super) fn signed(&self, repository: &str, tag: &str, text: &str) -> (Digest, Vec<u8>) {
        let (digest, bytes) = self.image(repository, tag, text);
        self.sign(
            repository,
            &digest,
            &format!("{NAME}/{repository}:{tag}"),
            GOOD,
        );
        (digest, bytes)
    }

    pub(super) fn fail(&self, part: &str, times: usize, outcome: Result<Response, HostError>) {
        self.faults.borrow_mut().push((part.into(), times, outcome));
    }

    pub(super) fn mend(&self) {
        self.faults.borrow_mut().clear();
    }
}
