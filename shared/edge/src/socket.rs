//! WebSocket API events: the authorizer's question, a connection's beginning and end, its messages.

use serde_json::{Value, json};

use crate::Failure;

/// What came over the WebSocket API.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// May this ticket connect?
    Authorize {
        /// The ticket.
        ticket: String,
        /// What a policy names to let it in.
        method: String,
    },
    /// A connection began; `owner` is what the authorizer said of its ticket.
    Connect {
        /// The connection.
        connection: String,
        /// Whose.
        owner: String,
    },
    /// A connection ended.
    Disconnect {
        /// The connection.
        connection: String,
    },
    /// A frame came.
    Frame {
        /// The connection.
        connection: String,
        /// Whose.
        owner: String,
        /// What it says.
        body: String,
    },
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// When it is not a WebSocket API event.
    pub fn read(event: &Value) -> Result<Self, Failure> {
        let context = &event["requestContext"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if event["type"] == "REQUEST" {
            let ticket = text(&event["queryStringParameters"]["ticket"]);
            return Ok(Self::Authorize { ticket, method: text(&event["methodArn"]) });
        }
        let connection = text(&context["connectionId"]);
        let owner = text(&context["authorizer"]["owner"]);
        match context["eventType"].as_str() {
            Some("CONNECT") => Ok(Self::Connect { connection, owner }),
            Some("DISCONNECT") => Ok(Self::Disconnect { connection }),
            Some("MESSAGE") => Ok(Self::Frame { connection, owner, body: text(&event["body"]) }),
            _ => Err(Failure::Invalid("not a WebSocket event".to_owned())),
        }
    }
}

/// The authorizer's answer: this principal may, or nobody.
#[must_use]
pub fn policy(owner: Option<&str>, method: &str) -> Value {
    let effect = if owner.is_some() { "Allow" } else { "Deny" };
    json!({
        "principalId": owner.unwrap_or("nobody"),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": method}],
        },
        "context": {"owner": owner.unwrap_or_default()},
    })
}

/// What a connection or frame is answered with.
#[must_use]
pub fn status(status: u16) -> Value {
    json!({ "statusCode": status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart() {
        let frame = json!({"requestContext": {"eventType": "MESSAGE", "connectionId": "c", "authorizer": {"owner": "agent:agt_x"}}, "body": "{}"});
        let owner = "agent:agt_x".to_owned();
        assert_eq!(Event::read(&frame), Ok(Event::Frame { connection: "c".to_owned(), owner, body: "{}".to_owned() }));
        assert!(Event::read(&json!({})).is_err());
    }

    #[test]
    fn nobody_is_let_in_without_a_ticket() {
        assert_eq!(policy(None, "arn")["policyDocument"]["Statement"][0]["Effect"], "Deny");
    }
}
