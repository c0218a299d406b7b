//! Decides conditions: `Fn::Equals`, `Fn::And`, `Fn::Or`, `Fn::Not` and conditions made of others.

use super::{
    error::TemplateError,
    scope::{Scope, parts},
    yaml::{Kind, Node},
};

impl Scope<'_> {
    /// A condition, by name.
    pub(super) fn condition(&self, name: &str) -> Result<bool, TemplateError> {
        let Some(condition) = self.document.conditions.iter().find(|condition| condition.key == name) else {
            return Err(TemplateError::new(format!("the condition {name} is not in Conditions")));
        };
        self.deeper(name, || self.decide(&condition.value))
            .map_err(|error| error.at_line(condition.line).within(&condition.key))
    }

    fn decide(&self, node: &Node) -> Result<bool, TemplateError> {
        let decided = match &node.kind {
            Kind::Call { function, argument } => match function.as_str() {
                "Condition" => self.condition(argument.as_text()?),
                "Fn::Equals" => {
                    let [left, right] = parts(function, argument)?;
                    Ok(self.text(left)? == self.text(right)?)
                }
                "Fn::Not" => {
                    let [condition] = parts(function, argument)?;
                    self.decide(condition).map(|holds| !holds)
                }
                "Fn::And" => self.decide_each(argument).map(|all| all.iter().all(|holds| *holds)),
                "Fn::Or" => self.decide_each(argument).map(|any| any.iter().any(|holds| *holds)),
                other => Err(TemplateError::new(format!("the function {other} is no condition"))),
            },
            Kind::Map(entries) if entries.len() == 1 && entries[0].key == "Condition" => {
                self.condition(entries[0].value.as_text()?)
            }
            _ => Err(TemplateError::new(format!("expected a condition, found {}", node.what()))),
        };
        decided.map_err(|error| error.at_line(node.line))
    }

    fn decide_each(&self, argument: &Node) -> Result<Vec<bool>, TemplateError> {
        argument.as_list()?.iter().map(|condition| self.decide(condition)).collect()
    }
}
