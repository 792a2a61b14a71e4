//! A job that says what it needs and is given it: how the core runs where everything is
//! asynchronous, without being so.
//!
//! [`Task::advance`] returns what is asked next, or the result. Answers may come in any order.

use super::{Host, LogQuestion, Request, Response, Sink, Store};
use crate::crypto::{Links, Outcome, Provider, SignatureCheck};
use crate::error::HostError;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

/// Something that the outside world must do.
#[derive(Debug)]
pub enum Ask {
    /// Send this and read the answer.
    Fetch(Request),
    /// Check this signature by the platform's own cryptography.
    Verify(Box<SignatureCheck>),
    /// Check this signature in pure Rust, in the module that has it: this one was built without.
    Compute(Box<SignatureCheck>),
    /// The value under this key.
    Load(String),
    /// Wait until no other task has the turn of this key; the turn ends with the task.
    Lock(String),
    /// Keep this value under this key for so many seconds.
    Save(String, String, u32),
    /// Add this record to this log, for so many seconds.
    Append(String, String, u32),
    /// This piece of a log.
    ReadBack(LogQuestion),
    /// The answer begins: status and headers.
    Begin(u16, Vec<(String, String)>),
    /// The next piece of its body.
    Write(Vec<u8>),
    /// Let others have their turn, then come back.
    Pause,
}

/// What it answered.
#[derive(Debug)]
pub enum Answer {
    /// To [`Ask::Fetch`].
    Response(Response),
    /// To [`Ask::Verify`] and [`Ask::Compute`]; anything but a clear yes is `false`.
    Verified(bool),
    /// To [`Ask::Load`], [`Ask::Lock`], [`Ask::Save`], [`Ask::Append`], [`Ask::ReadBack`] and
    /// [`Ask::Pause`].
    Value(Option<String>),
    /// It could not be done.
    Error(HostError),
}

#[derive(Default)]
struct Post {
    next: u32,
    asks: Vec<(u32, Ask)>,
    answers: Vec<(u32, Answer)>,
}

/// A [`Host`], [`Provider`] and [`Store`] whose answers come through [`Task::advance`].
#[derive(Clone)]
pub struct Remote {
    post: Rc<RefCell<Post>>,
    web_crypto: bool,
    links: Links,
    /// Whether a check is being made in here, or has just been.
    busy: Rc<Cell<bool>>,
    known: Rc<RefCell<Option<HeadAnswer>>>,
    /// Whether nothing is changed that is to be saved.
    looks: bool,
}

/// The answer to `HEAD` of this address, which was asked before the job began.
struct HeadAnswer {
    url: String,
    answer: Result<Response, HostError>,
}

impl Remote {
    /// With `web_crypto`, signatures are asked of the platform; bare digests never are, which it
    /// cannot verify.
    pub fn new(web_crypto: bool) -> Self {
        Self::remembering(web_crypto, &Links::default())
    }

    /// As [`Self::new`]. What is seen to hold of chains is remembered in `links`, and is not asked
    /// again.
    pub fn remembering(web_crypto: bool, links: &Links) -> Self {
        Self {
            post: Rc::default(),
            web_crypto,
            links: links.clone(),
            busy: Rc::default(),
            known: Rc::default(),
            looks: false,
        }
    }

    /// With the answer to `HEAD url` at hand. It answers that question, once, and no other.
    #[must_use]
    pub fn knowing(self, url: String, answer: Result<Response, HostError>) -> Self {
        *self.known.borrow_mut() = Some(HeadAnswer { url, answer });
        self
    }

    fn recall(&self, request: &Request) -> Option<Result<Response, HostError>> {
        let answers = |known: &mut HeadAnswer| request.method == "HEAD" && request.url == known.url;
        let known = self.known.borrow_mut().take_if(answers)?;
        Some(known.answer)
    }

    async fn ask(&self, ask: Ask) -> Answer {
        let id = {
            let mut post = self.post.borrow_mut();
            post.next = post.next.wrapping_add(1);
            let id = post.next;
            post.asks.push((id, ask));
            id
        };
        poll_fn(|_| {
            let answers = &mut self.post.borrow_mut().answers;
            match answers.iter().position(|(to, _)| *to == id) {
                Some(place) => Poll::Ready(answers.swap_remove(place).1),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl Remote {
    async fn outcome(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        if !self.web_crypto || !check.is_for_web_crypto() {
            return self.compute(check).await;
        }
        match self.ask(Ask::Verify(Box::new(check.clone()))).await {
            Answer::Verified(true) => Ok(Outcome::Holds),
            Answer::Verified(false) => Ok(Outcome::Fails),
            // A platform that does not take a key or an algorithm has not answered: whoever may
            // push chooses both.
            _ => self.compute(check).await,
        }
    }

    /// In pure Rust, one check between two turns of others, however many were demanded at once
    /// (docs/trust.md section 7).
    async fn compute(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        poll_fn(|_| {
            if self.busy.replace(true) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        let _free = Free(&self.busy);
        let outcome = self.computed(check).await;
        self.pause().await;
        outcome
    }

    #[cfg(feature = "arithmetic")]
    async fn computed(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        crate::crypto::RustCrypto.verify(check).await
    }

    #[cfg(not(feature = "arithmetic"))]
    async fn computed(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        match self.ask(Ask::Compute(Box::new(check.clone()))).await {
            Answer::Verified(true) => Ok(Outcome::Holds),
            Answer::Verified(false) => Ok(Outcome::Fails),
            Answer::Error(error) => Err(error),
            _ => Err(wrong_kind()),
        }
    }
}

/// Lets the next one in, whatever becomes of this one.
struct Free<'a>(&'a Cell<bool>);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn wrong_kind() -> HostError {
    HostError::Provider {
        reason: "the answer was of another kind than the question".into(),
    }
}

impl Host for Remote {
    async fn fetch(&self, request: Request) -> Result<Response, HostError> {
        if let Some(known) = self.recall(&request) {
            return known;
        }
        let (url, limit) = (request.url.clone(), request.max_bytes);
        match self.ask(Ask::Fetch(request)).await {
            Answer::Response(response) if response.body.len() > limit => {
                Err(HostError::TooLarge { url, limit })
            }
            Answer::Response(response) => Ok(response),
            Answer::Error(HostError::TooLarge { .. }) => Err(HostError::TooLarge { url, limit }),
            Answer::Error(error) => Err(error),
            _ => Err(wrong_kind()),
        }
    }
}

impl Provider for Remote {
    fn remembers(&self, check: &SignatureCheck) -> bool {
        self.links.hold(check)
    }

    async fn verify(&self, check: &SignatureCheck) -> Result<Outcome, HostError> {
        let outcome = self.outcome(check).await?;
        self.links.note(check, outcome);
        Ok(outcome)
    }

    async fn pause(&self) {
        self.ask(Ask::Pause).await;
    }
}

impl Store for Remote {
    async fn load(&self, key: &str) -> Option<String> {
        match self.ask(Ask::Load(key.into())).await {
            Answer::Value(value) => value,
            _ => None,
        }
    }

    async fn lock(&self, key: &str) {
        self.ask(Ask::Lock(key.into())).await;
    }

    async fn writable(&self) {
        if self.looks {
            core::future::pending().await
        }
    }

    async fn save(&self, key: &str, value: &str, seconds: u32) {
        self.ask(Ask::Save(key.into(), value.into(), seconds)).await;
    }

    async fn append(&self, log: &str, record: &str, seconds: u32) {
        self.ask(Ask::Append(log.into(), record.into(), seconds))
            .await;
    }

    async fn read_back(&self, question: &LogQuestion) -> Option<String> {
        match self.ask(Ask::ReadBack(question.clone())).await {
            Answer::Value(value) => value,
            _ => None,
        }
    }
}

impl Sink for Remote {
    async fn begin(&self, status: u16, headers: &[(String, String)]) {
        self.ask(Ask::Begin(status, headers.into())).await;
    }

    async fn write(&self, piece: Vec<u8>) -> bool {
        !matches!(self.ask(Ask::Write(piece)).await, Answer::Error(_))
    }
}

/// How far a job comes without waiting, over a remote that is its own. What it then waits for is not
/// answered: the job is dropped, and has changed nothing that is to be saved.
pub fn glance<T, F: Future<Output = T>>(
    mut remote: Remote,
    job: impl FnOnce(Remote) -> F,
) -> Advance<T> {
    remote.looks = true;
    let post = remote.post.clone();
    advance(pin!(job(remote)), &post)
}

fn advance<T>(
    future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    post: &RefCell<Post>,
) -> Advance<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Advance::Done(value),
        Poll::Pending => Advance::Asks(core::mem::take(&mut post.borrow_mut().asks)),
    }
}

/// One job.
pub struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    remote: Remote,
}

/// Where a job stands.
#[derive(Debug)]
pub enum Advance<T> {
    /// It is done.
    Done(T),
    /// It waits; these are the new questions, none of them asked before.
    Asks(Vec<(u32, Ask)>),
}

impl<T> Task<T> {
    /// Runs `job` over `remote`.
    pub fn new(remote: Remote, future: impl Future<Output = T> + 'static) -> Self {
        Self {
            future: Box::pin(future),
            remote,
        }
    }

    /// Takes answers and goes on as far as they carry. Not to be called again after
    /// [`Advance::Done`].
    pub fn advance(&mut self, answers: impl IntoIterator<Item = (u32, Answer)>) -> Advance<T> {
        self.remote.post.borrow_mut().answers.extend(answers);
        advance(self.future.as_mut(), &self.remote.post)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;

    fn request(url: &str) -> Request {
        Request {
            method: "GET",
            url: url.into(),
            headers: Vec::new(),
            body: None,
            max_bytes: 3,
            egress: super::super::Egress::Operator,
            sign: None,
        }
    }

    fn answer(body: &[u8]) -> Answer {
        Answer::Response(Response {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            url: None,
        })
    }

    fn check(name: &str, signature: &[u8]) -> SignatureCheck {
        use crate::crypto::{EcdsaForm, Hash, Message, PublicKey, Role, Scheme};
        let key = PublicKey::from_pem(
            &std::fs::read(std::format!("fixtures/cosign/{name}/key.pub")).unwrap(),
        )
        .unwrap();
        SignatureCheck::new(
            Role::Given,
            &key,
            Scheme::RsaPkcs1(Hash::Sha256),
            EcdsaForm::Der,
            Message::Bytes(b"x".into()),
            signature,
        )
        .unwrap()
    }

    /// What the platform does not take is decided here (an RSA exponent that `importKey` refuses).
    #[test]
    fn a_platform_that_fails_has_not_answered() {
        for answer in [
            Answer::Error(HostError::Provider {
                reason: "importKey".into(),
            }),
            Answer::Value(None),
        ] {
            let remote = Remote::new(true);
            let inner = remote.clone();
            let mut task = Task::new(remote, async move {
                inner.verify(&check("rsa-2048-bundle", &[1; 256])).await
            });
            let Advance::Asks(asks) = task.advance([]) else {
                panic!()
            };
            assert!(matches!(asks[0].1, Ask::Verify(_)));
            let Advance::Asks(asks) = task.advance([(asks[0].0, answer)]) else {
                panic!("no turn was given back")
            };
            assert!(matches!(asks[..], [(_, Ask::Pause)]));
            let Advance::Done(Ok(Outcome::Fails)) =
                task.advance([(asks[0].0, Answer::Value(None))])
            else {
                panic!()
            };
        }
    }

    /// However many are demanded at once, others have their turn after each.
    #[test]
    fn one_check_a_turn() {
        let remote = Remote::new(false);
        let inner = remote.clone();
        let mut task = Task::new(remote, async move {
            let one = || async { inner.verify(&check("rsa-2048-bundle", &[1; 256])).await };
            let mut all = [Box::pin(one()), Box::pin(one()), Box::pin(one())].map(Some);
            poll_fn(|context| {
                for future in &mut all {
                    if future
                        .as_mut()
                        .is_some_and(|future| future.as_mut().poll(context).is_ready())
                    {
                        *future = None;
                    }
                }
                if all.iter().all(Option::is_none) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
        let (mut turns, mut answers) = (0, Vec::new());
        while let Advance::Asks(asks) = task.advance(core::mem::take(&mut answers)) {
            assert!(matches!(asks[..], [(_, Ask::Pause)]), "{asks:?}");
            answers.extend(asks.into_iter().map(|(id, _)| (id, Answer::Value(None))));
            turns += 1;
        }
        assert_eq!(turns, 3);
    }

    /// What was found out before answers one question, once.
    #[test]
    fn what_is_known_is_not_asked_and_answers_once() {
        let head = || Request {
            method: "HEAD",
            ..request("a")
        };
        let Answer::Response(known) = answer(b"") else {
            panic!()
        };
        let remote = Remote::new(true).knowing("a".into(), Ok(known));
        let inner = remote.clone();
        let mut task = Task::new(remote, async move {
            assert!(inner.fetch(head()).await.is_ok());
            let _ = inner.fetch(head()).await;
        });
        let Advance::Asks(asks) = task.advance([]) else {
            panic!()
        };
        assert!(matches!(&asks[..], [(_, Ask::Fetch(again))] if *again == head()));
        for other in [
            request("a"),
            Request {
                url: "b".into(),
                ..head()
            },
        ] {
            let remote = Remote::new(true).knowing("a".into(), Err(wrong_kind()));
            let inner = remote.clone();
            let asked = other.clone();
            let mut task = Task::new(remote, async move { inner.fetch(asked).await });
            let Advance::Asks(asks) = task.advance([]) else {
                panic!()
            };
            assert!(matches!(&asks[..], [(_, Ask::Fetch(found))] if *found == other));
        }
    }

    #[test]
    fn asks_are_answered_in_any_number_of_steps() {
        let remote = Remote::new(true);
        let inner = remote.clone();
        let mut task = Task::new(remote, async move {
            let first = inner.fetch(request("a")).await;
            let second = inner.fetch(request("b")).await;
            (first.is_ok(), second)
        });
        let Advance::Asks(asks) = task.advance([]) else {
            panic!()
        };
        assert_eq!(asks.len(), 1);
        let Advance::Asks(none) = task.advance([]) else {
            panic!()
        };
        assert!(none.is_empty());
        let Advance::Asks(second) = task.advance([(asks[0].0, answer(b"abc"))]) else {
            panic!()
        };
        // The bound holds whatever the shell does.
        let Advance::Done((true, Err(HostError::TooLarge { limit: 3, .. }))) =
            task.advance([(second[0].0, answer(b"abcd"))])
        else {
            panic!()
        };
    }
}
