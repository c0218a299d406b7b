//! Functions, and what their policies allow them.

use std::collections::BTreeMap;

/// One Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionPlan {
    /// The resource's name in the template, for example `WebhookWhatsapp`; routes and mappings name it so.
    pub name: String,
    /// The function's ARN.
    pub arn: String,
    /// The binary: the last folder of `CodeUri`, for example `webhook`.
    pub binary: String,
    /// The environment, exactly: the configuration the function starts with.
    pub environment: BTreeMap<String, String>,
    /// After how many seconds an invocation is ended.
    pub timeout_s: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// How many invocations may run at once, when limited.
    pub reserved_concurrency: Option<u32>,
    /// What becomes of an asynchronous invocation that fails.
    pub asynchronous: Option<AsynchronousPlan>,
    /// What the function's own policies allow; what its triggers need is not listed.
    pub statements: Vec<Statement>,
}

/// How a failed asynchronous invocation is repeated, and where it goes at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsynchronousPlan {
    /// How often it is repeated (0 to 2).
    pub max_retries: u32,
    /// How old the event may become, in seconds.
    pub max_age_s: u32,
    /// The queue (by name) that what failed goes to.
    pub on_failure: Option<String>,
}

/// One `Allow` statement of a function's policies. `Deny` is refused by the reader, so there is no effect to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Actions such as `dynamodb:PutItem`.
    pub actions: Vec<String>,
    /// ARNs, each of which may hold `*` inside.
    pub resources: Vec<String>,
    /// What else must hold.
    pub conditions: Vec<StatementCondition>,
}

/// A condition on a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementCondition {
    /// For example `StringEquals`.
    pub operator: String,
    /// For example `kms:EncryptionContext:colloquy`.
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
}

impl FunctionPlan {
    /// Whether the function's own policies allow an action such as `sqs:SendMessage` on a resource's ARN.
    ///
    /// Conditions are not looked at: what they test is in the request. `*` asks for any resource.
    #[must_use]
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.statements.iter().any(|statement| {
            statement.actions.iter().any(|pattern| fits(pattern, action))
                && (resource == "*" || statement.resources.iter().any(|pattern| fits(pattern, resource)))
        })
    }
}

/// Whether a text fits an IAM pattern, in which `*` stands for any run of characters and `?` for one.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if at < pattern.len() && pattern[at] == '*' {
            star = Some((at, seen));
            at += 1;
        } else if at < pattern.len() && (pattern[at] == '?' || pattern[at] == text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((after, from)) = star {
            at = after + 1;
            seen = from + 1;
            star = Some((after, from + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_in_a_policy_stands_for_any_run_of_characters() {
        let connections = "arn:aws:execute-api:us-east-1:1:api/socket/POST/@connections/*";
        assert!(fits(connections, "arn:aws:execute-api:us-east-1:1:api/socket/POST/@connections/abc="));
        assert!(!fits(connections, "arn:aws:execute-api:us-east-1:1:api/socket/GET/@connections/abc="));
        assert!(fits("dynamodb:*Item", "dynamodb:PutItem"));
        assert!(!fits("dynamodb:PutItem", "dynamodb:PutItems"));
        assert!(fits("a*b?d", "axxbbcd"));
    }
}
