//! Sending one message: claim it, call the platform, write down how it ended.
//!
//! A crash after the claim leaves the message `sending`; whoever finds it so says `unknown`, since bytes may have left.

use colloquy_aws::{
    StoreError,
    desk::{Inbox, Token},
    timeline::Claim,
};
use colloquy_channels::{Outgoing, RenderError, Settings, TokenAnswer, judge, read_token, render, token_calls};
use colloquy_domain::{Author, Channel, DeliveryState, Outcome, queue::Dispatch};
use colloquy_edge::{Failure, batch::Record};
use tracing::info;

use crate::{App, call};

/// How often a message that the platform certainly did not take is tried.
const TRIES: u32 = 8;
/// The longest wait between two tries, in seconds.
const LONGEST_WAIT_S: u64 = 900;
/// How long before its end an access token is renewed, in milliseconds.
const RENEW_MS: i64 = 300_000;

impl App {
    pub(crate) async fn send(&self, record: Record) -> Result<(), Failure> {
        let dispatch: Dispatch = self.outbound.open(&record.body).await?;
        let (conversation, message, attempt) = (&dispatch.conversation, dispatch.message, dispatch.attempt);
        match self.timeline.claim(conversation, message, attempt).await? {
            Claim::Mine => {}
            Claim::Settled(delivery) => return self.report(&dispatch, &delivery).await,
            Claim::InDoubt => {
                let reason = "sending was cut short, so it may have arrived".to_owned();
                return self.settle(&dispatch, Outcome::Unknown(reason)).await;
            }
        }
        match Box::pin(self.try_channel(&dispatch)).await {
            Ok(Outcome::TryAgain { after_s, reason }) => self.put_off(&record, &dispatch, after_s, reason).await,
            Ok(outcome) => self.settle(&dispatch, outcome).await,
            // Nothing has left yet: what failed was ours.
            Err(failure) => {
                self.timeline.release(conversation, message, attempt).await?;
                Err(failure)
            }
        }
    }

    /// A bot never talks over a person: what it said before a person spoke is not sent after them.
    async fn is_withheld(&self, dispatch: &Dispatch) -> Result<bool, Failure> {
        if dispatch.author != Author::Bot {
            return Ok(false);
        }
        match self.timeline.head(&dispatch.conversation).await {
            // Whether to send it is for whoever looks up the address to say.
            Err(StoreError::Erased) => Ok(false),
            head => Ok(head?.is_some_and(|head| head.agent_seq > dispatch.message)),
        }
    }

    async fn try_channel(&self, dispatch: &Dispatch) -> Result<Outcome, Failure> {
        if self.is_withheld(dispatch).await? {
            return Ok(Outcome::Never("withheld: a person has answered since".to_owned()));
        }
        let Some(inbox) = self.desk.get::<Inbox>(&dispatch.inbox).await? else {
            return Ok(Outcome::Never("the inbox has been removed".to_owned()));
        };
        let identity = match self.desk.identity(&dispatch.identity).await {
            Ok(None) | Err(StoreError::Erased) => {
                return Ok(Outcome::Never("the customer has been erased".to_owned()));
            }
            Ok(Some(identity)) => identity,
            Err(error) => return Err(error.into()),
        };
        let settings = Settings::new(inbox.settings);
        let Some(api_base) = self.api_base(&settings, dispatch.channel) else {
            return Ok(Outcome::Never("this channel has no API to send to".to_owned()));
        };
        let mut renewed = false;
        loop {
            let token = match self.token(dispatch, &settings, &api_base).await? {
                Ok(token) => token,
                Err(outcome) => return Ok(outcome),
            };
            let reference = format!("{}-{}-{}", dispatch.conversation, dispatch.message, dispatch.attempt);
            let outgoing = Outgoing {
                api_base: &api_base,
                to: &identity.address,
                text: &dispatch.text,
                reference: &reference,
                token: token.as_ref().map(|token| token.token.as_str()),
            };
            let calls = match render(dispatch.channel, &settings, &outgoing) {
                Ok(calls) => calls,
                Err(error @ (RenderError::Settings(_) | RenderError::NoToken)) => {
                    return Ok(Outcome::Never(error.to_string()));
                }
            };
            let (outcome, taken) = self.make_all(dispatch.channel, &calls).await;
            match (outcome, token) {
                // A refused token has sent nothing: a fresh one is worth one more try.
                (Outcome::TokenExpired(_), Some(token)) if !renewed && taken == 0 => {
                    self.desk.forget_token(&dispatch.inbox, &token).await?;
                    renewed = true;
                }
                (Outcome::TokenExpired(reason), _) => return Ok(Outcome::Never(reason)),
                (Outcome::TryAgain { reason, .. } | Outcome::Never(reason), _) if taken > 0 => {
                    let parts = calls.len();
                    return Ok(Outcome::Never(format!("only {taken} of {parts} parts were taken: {reason}")));
                }
                (outcome, _) => return Ok(outcome),
            }
        }
    }

    /// Makes the calls of one message in order, up to the first that is not taken; how that ended, and how many were.
    async fn make_all(&self, channel: Channel, calls: &[colloquy_channels::Call]) -> (Outcome, usize) {
        let mut last = Outcome::Never("there is nothing to say".to_owned());
        for (taken, one) in calls.iter().enumerate() {
            last = match call::make(&self.http, one).await {
                Ok(answered) => judge(channel, answered.status, &answered.headers, &answered.body),
                Err(outcome) => outcome,
            };
            if !matches!(last, Outcome::Sent(_)) {
                return (last, taken);
            }
        }
        (last, calls.len())
    }

    /// The inbox's own API address, else the sandbox where there is one, else the platform's.
    fn api_base(&self, settings: &Settings, channel: Channel) -> Option<String> {
        let sandbox = self.sandbox.as_ref().map(|sandbox| format!("{sandbox}/{channel}"));
        settings.own_api_base().map(str::to_owned).or(sandbox).or_else(|| settings.api_base(channel).map(str::to_owned))
    }

    /// The channel's access token where one must be fetched: the kept one, or a new one before that ends.
    async fn token(
        &self,
        dispatch: &Dispatch,
        settings: &Settings,
        api_base: &str,
    ) -> Result<Result<Option<Token>, Outcome>, Failure> {
        let calls = match token_calls(dispatch.channel, settings, api_base) {
            Ok(calls) if calls.is_empty() => return Ok(Ok(None)),
            Ok(calls) => calls,
            Err(error) => return Ok(Err(Outcome::Never(error.to_string()))),
        };
        let now = self.clients.now();
        if let Some(kept) = self.desk.token(&dispatch.inbox).await?.filter(|kept| kept.until.ms() - RENEW_MS > now.ms())
        {
            return Ok(Ok(Some(kept)));
        }
        for one in calls {
            let answered = match call::make(&self.http, &one).await {
                Ok(answered) => answered,
                // Asking for a token twice harms nobody.
                Err(outcome) => return Ok(Err(again(outcome))),
            };
            match read_token(dispatch.channel, answered.status, &answered.headers, &answered.body) {
                TokenAnswer::Token { token, expires_in_s } => {
                    let until = now.plus(std::time::Duration::from_secs(expires_in_s));
                    let token = Token { token, until };
                    self.desk.put_token(&dispatch.inbox, &token).await?;
                    return Ok(Ok(Some(token)));
                }
                TokenAnswer::NotOffered => {}
                TokenAnswer::Refused(outcome) => return Ok(Err(again(outcome))),
            }
        }
        Ok(Err(Outcome::Never("the platform gives no access token".to_owned())))
    }

    /// Gives the message back and lets it come again after a while; its thread waits behind it, so order holds.
    async fn put_off(
        &self,
        record: &Record,
        dispatch: &Dispatch,
        after_s: Option<u64>,
        reason: String,
    ) -> Result<(), Failure> {
        if record.receives >= TRIES {
            return self.settle(dispatch, Outcome::Never(format!("given up after {TRIES} tries: {reason}"))).await;
        }
        self.timeline.release(&dispatch.conversation, dispatch.message, dispatch.attempt).await?;
        let wait_s = after_s.unwrap_or(1 << record.receives.min(6).saturating_sub(1)).clamp(1, LONGEST_WAIT_S);
        info!(conversation.id = %dispatch.conversation, message = dispatch.message, wait_s, "sending put off");
        self.outbound.defer(&record.receipt, u32::try_from(wait_s).unwrap_or(900)).await?;
        Err(Failure::Unavailable(reason))
    }
}

/// A token's call can be repeated whatever came of it.
fn again(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Unknown(reason) | Outcome::TokenExpired(reason) => Outcome::TryAgain { after_s: None, reason },
        other => other,
    }
}

/// Whether a state is one that an agent must know of.
pub(crate) const fn is_trouble(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Failed | DeliveryState::Unknown)
}
