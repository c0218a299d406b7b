//! The resource types this host knows: those it runs, and those that need nothing on one machine.

/// A resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceKind {
    // What the host runs.
    Table,
    Queue,
    Bucket,
    Key,
    KeyAlias,
    Function,
    Api,
    Stage,
    Integration,
    Route,
    Authorizer,
    ManagedPolicy,
    // What needs nothing here: its references are checked, the rest is left alone.
    Role,
    Permission,
    LogGroup,
    UserPool,
    UserPoolClient,
    Alarm,
    GatewayAccount,
    QueuePolicy,
}

/// Every type with its name in a template.
const NAMES: [(ResourceKind, &str); 20] = [
    (ResourceKind::Table, "AWS::DynamoDB::Table"),
    (ResourceKind::Queue, "AWS::SQS::Queue"),
    (ResourceKind::Bucket, "AWS::S3::Bucket"),
    (ResourceKind::Key, "AWS::KMS::Key"),
    (ResourceKind::KeyAlias, "AWS::KMS::Alias"),
    (ResourceKind::Function, "AWS::Serverless::Function"),
    (ResourceKind::Api, "AWS::ApiGatewayV2::Api"),
    (ResourceKind::Stage, "AWS::ApiGatewayV2::Stage"),
    (ResourceKind::Integration, "AWS::ApiGatewayV2::Integration"),
    (ResourceKind::Route, "AWS::ApiGatewayV2::Route"),
    (ResourceKind::Authorizer, "AWS::ApiGatewayV2::Authorizer"),
    (ResourceKind::ManagedPolicy, "AWS::IAM::ManagedPolicy"),
    (ResourceKind::Role, "AWS::IAM::Role"),
    (ResourceKind::Permission, "AWS::Lambda::Permission"),
    (ResourceKind::LogGroup, "AWS::Logs::LogGroup"),
    (ResourceKind::UserPool, "AWS::Cognito::UserPool"),
    (ResourceKind::UserPoolClient, "AWS::Cognito::UserPoolClient"),
    (ResourceKind::Alarm, "AWS::CloudWatch::Alarm"),
    (ResourceKind::GatewayAccount, "AWS::ApiGateway::Account"),
    (ResourceKind::QueuePolicy, "AWS::SQS::QueuePolicy"),
];

impl ResourceKind {
    /// The type with this name, if the host knows it.
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// The type's name in a template.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}
