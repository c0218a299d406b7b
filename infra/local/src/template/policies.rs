//! Reads what a function may do: statements of its own and managed policies of the same template.
//!
//! SAM's policy templates and policies from outside the template are refused: what a function may do is to be read here.

use super::{
    error::TemplateError,
    fields::{Fields, texts},
    kinds::ResourceKind,
    plan::{Statement, StatementCondition},
    scope::Scope,
    storage,
    yaml::{Kind, Node},
};

/// The statements of a function's `Policies`.
pub(super) fn statements(scope: &Scope<'_>, policies: &Node) -> Result<Vec<Statement>, TemplateError> {
    let mut statements = Vec::new();
    let one = [policies.clone()];
    let policies = match &policies.kind {
        Kind::List(items) => items.as_slice(),
        _ => one.as_slice(),
    };
    for policy in policies {
        let read = match &policy.kind {
            Kind::Text { text, .. } => managed(scope, text),
            _ => document(policy.clone()),
        };
        statements.extend(read.map_err(|error| error.at_line(policy.line))?);
    }
    Ok(statements)
}

fn managed(scope: &Scope<'_>, value: &str) -> Result<Vec<Statement>, TemplateError> {
    let policy = scope
        .find(ResourceKind::ManagedPolicy, value)?
        .ok_or_else(|| TemplateError::new(format!("the managed policy {value} is not in this template")))?;
    let read = || {
        let mut fields = storage::fields(scope, policy)?;
        let statements = document(fields.require("PolicyDocument")?)?;
        fields.ignore(&["Description", "ManagedPolicyName", "Path"]);
        fields.finish()?;
        Ok(statements)
    };
    read().map_err(|error: TemplateError| error.at_line(policy.line).within(&policy.id))
}

fn document(node: Node) -> Result<Vec<Statement>, TemplateError> {
    if node.get("Statement").is_none()
        && let Ok([only]) = node.as_map()
    {
        let message = format!("the policy template {} is not understood, only statements", only.key);
        return Err(TemplateError::new(message).at_line(only.line));
    }
    let mut fields = Fields::new("a policy", node)?;
    fields.only("Version", "2012-10-17")?;
    let given = fields.require("Statement")?;
    fields.finish()?;
    match &given.kind {
        Kind::List(items) => items.iter().cloned().map(statement).collect(),
        _ => Ok(vec![statement(given)?]),
    }
}

fn statement(node: Node) -> Result<Statement, TemplateError> {
    let mut fields = Fields::new("a policy statement", node)?;
    fields.only("Effect", "Allow")?;
    let actions = texts(&fields.require("Action")?)?;
    let resources = texts(&fields.require("Resource")?)?;
    let mut conditions = Vec::new();
    for operator in fields.entries("Condition")? {
        for test in operator.value.as_map()? {
            conditions.push(StatementCondition {
                operator: operator.key.clone(),
                key: test.key.clone(),
                values: texts(&test.value)?,
            });
        }
    }
    fields.ignore(&["Sid"]);
    fields.finish()?;
    Ok(Statement { actions, resources, conditions })
}
