//! The reader on small templates: every function, and every kind of refusal by name.

use serde_json::json;

use super::{Overrides, Template, plan::Plan};

/// A template with these parts beside one queue whose name is made by `expression`.
fn named(expression: &str, sections: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31\n{sections}\nResources:\n  Letters:\n    Type: AWS::SQS::Queue\n    \
         Properties:\n      QueueName: {expression}\n  Other: {{ Type: AWS::SQS::Queue }}\n"
    )
}

fn plan(text: &str) -> Result<Plan, String> {
    plan_with(text, &Overrides::default())
}

fn plan_with(text: &str, overrides: &Overrides) -> Result<Plan, String> {
    Template::parse(text, "template.yaml")
        .and_then(|template| template.plan(overrides))
        .map_err(|error| error.to_string())
}

/// What an expression resolves to.
fn value(expression: &str, sections: &str) -> Result<String, String> {
    plan(&named(expression, sections)).map(|plan| plan.queues[0].name.clone())
}

fn resources(resources: &str) -> Result<Plan, String> {
    plan(&format!("Resources:\n{resources}"))
}

const SECTIONS: &str = "
Parameters:
  Word: { Type: String, Default: hello }
  Count: { Type: Number, Default: 3 }
  Names: { Type: CommaDelimitedList, Default: 'ann, bo' }
Mappings:
  Sizes:
    us-east-1: { small: s1 }
Conditions:
  Yes: !Equals [!Ref Word, hello]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Not [Condition: No]]
  Either: !Or [!Condition No, !Condition Both]
  Long: { 'Fn::Equals': [{ Ref: Word }, hello] }
";

#[test]
fn every_function_gives_what_cloudformation_gives() {
    for (expression, expected) in [
        ("!Ref Word", "hello"),
        ("{ Ref: Word }", "hello"),
        ("!Sub '${Word}-${AWS::Region}'", "hello-us-east-1"),
        ("{ 'Fn::Sub': '${Word}' }", "hello"),
        ("!Sub ['${Own}-${Word}', { Own: !Ref Count }]", "3-hello"),
        ("!Sub '${!Word}'", "${Word}"),
        ("!Join ['-', [a, !Ref Word]]", "a-hello"),
        ("!Join ['+', !Ref Names]", "ann+bo"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['1', !Split [',', 'x,y,z']]", "y"),
        ("!If [Yes, a, b]", "a"),
        ("!If [No, a, b]", "b"),
        ("!If [Either, a, b]", "a"),
        ("!If [Long, a, b]", "a"),
        ("!FindInMap [Sizes, !Ref AWS::Region, small]", "s1"),
        ("!Ref AWS::StackName", "colloquy"),
        ("!GetAtt Other.QueueName", "other"),
        ("!GetAtt [Other, Arn]", "arn:aws:sqs:us-east-1:000000000000:other"),
        ("!Ref Other", "https://sqs.us-east-1.amazonaws.com/000000000000/other"),
        ("!Ref AWS::AccountId", "000000000000"),
        ("!Sub '${AWS::Partition}.${AWS::URLSuffix}'", "aws.amazonaws.com"),
        ("!If [No, a, !Ref AWS::NoValue]", "letters"),
    ] {
        assert_eq!(value(expression, SECTIONS), Ok(expected.to_owned()), "{expression}");
    }
}

#[test]
fn a_function_that_is_not_understood_is_named_with_its_line_and_resource() {
    for (expression, expected) in [
        ("!ImportValue other", "the function Fn::ImportValue is not understood"),
        ("{ 'Fn::GetAZs': '' }", "the function Fn::GetAZs is not understood"),
        ("!Frobnicate x", "the function Fn::Frobnicate is not understood"),
        ("!Equals [a, a]", "Fn::Equals has its place in Conditions only"),
        ("!Ref Nobody", "Nobody is neither a parameter nor a resource"),
        ("!GetAtt Nobody.Arn", "Nobody is neither a parameter nor a resource"),
        ("!GetAtt Other.Color", "the attribute Color of Other (AWS::SQS::Queue) is not understood"),
        ("!Ref AWS::NotificationARNs", "the pseudo parameter AWS::NotificationARNs is not understood"),
        ("!Sub '${Word'", "a ${ is not closed in \"${Word\""),
        ("!Select [4, [a]]", "Fn::Select finds no item 4"),
        ("!Join [a]", "Fn::Join takes a list of 2"),
        ("!If [Maybe, a, b]", "the condition Maybe is not in Conditions"),
        ("!Ref Letters", "Letters leads back to itself"),
    ] {
        let line = SECTIONS.lines().count() + 7;
        assert_eq!(
            value(expression, SECTIONS),
            Err(format!("template.yaml:{line}: Letters: {expected}")),
            "{expression}"
        );
    }
}

#[test]
fn the_china_partition_follows_from_the_region() {
    let china = Overrides { region: "cn-north-1".to_owned(), ..Overrides::default() };
    let plan = plan_with("Resources:\n  Letters:\n    Type: AWS::SQS::Queue\n", &china).unwrap();
    assert_eq!(plan.queues[0].arn, "arn:aws-cn:sqs:cn-north-1:000000000000:letters");
    assert_eq!(plan.queues[0].url, "https://sqs.cn-north-1.amazonaws.com.cn/000000000000/letters");
}

#[test]
fn parameters_are_overridden_and_checked() {
    let text = named("!Ref Word", "Parameters:\n  Word: { Type: String, AllowedValues: [a, b] }");
    let with = |word: &str| plan_with(&text, &Overrides::default().with("Word", word)).map(|plan| plan.parameters);
    assert_eq!(with("b").unwrap()["Word"], "b");
    assert_eq!(with("c"), Err("template.yaml:3: Word: \"c\" is not one of a, b".to_owned()));
    assert_eq!(plan(&text), Err("template.yaml:3: Word: this parameter needs a value".to_owned()));
    let unknown = plan_with(&text, &Overrides::default().with("Wrod", "a"));
    assert_eq!(unknown, Err("template.yaml: the template has no parameter Wrod".to_owned()));
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let function = "  Nlp:\n    Type: AWS::Serverless::Function\n    Metadata: { BuildMethod: rust-cargolambda }\n    \
                    Properties:\n      CodeUri: functions/nlp/\n";
    for (text, expected) in [
        (
            "  A:\n    Type: AWS::EC2::Instance\n",
            "template.yaml:3: A: the resource type AWS::EC2::Instance is not understood",
        ),
        (
            "  A:\n    Type: AWS::SQS::Queue\n    UpdatePolicy: {}\n",
            "template.yaml:4: A: unknown attribute UpdatePolicy of a resource",
        ),
        (
            "  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      Speed: 3\n",
            "template.yaml:5: A: unknown property Speed of AWS::SQS::Queue",
        ),
        (
            "  A:\n    Type: AWS::SQS::Queue\n    Condition: Maybe\n",
            "template.yaml:2: A: the condition Maybe is not in Conditions",
        ),
        (
            "  A:\n    Type: AWS::SQS::Queue\n    Properties: { VisibilityTimeout: soon }\n",
            "template.yaml:4: A: VisibilityTimeout cannot be \"soon\"",
        ),
        (
            &format!("{function}      Layers: [x]\n"),
            "template.yaml:7: Nlp: unknown property Layers of AWS::Serverless::Function",
        ),
        (
            &format!("{function}      Runtime: python3.13\n"),
            "template.yaml:7: Nlp: Runtime python3.13 is not understood, only provided.al2023",
        ),
        (
            &format!("{function}      Events:\n        Put: {{ Type: S3, Properties: {{ Bucket: b }} }}\n"),
            "template.yaml:8: Nlp: the event type S3 is not understood",
        ),
        (
            &format!(
                "{function}      Events:\n        Tick:\n          Type: Schedule\n          Properties: {{ Schedule: cron(0 12 * * ? *) }}\n"
            ),
            "template.yaml:10: Nlp: the schedule cron(0 12 * * ? *) is not understood, only rate(…)",
        ),
        (
            &format!("{function}      Policies:\n        - SQSPollerPolicy: {{ QueueName: q }}\n"),
            "template.yaml:8: Nlp: the policy template SQSPollerPolicy is not understood, only statements",
        ),
        (
            &format!("{function}      Policies: [AmazonSQSFullAccess]\n"),
            "template.yaml:7: Nlp: the managed policy AmazonSQSFullAccess is not in this template",
        ),
        (
            &format!("{function}      Policies:\n        - Statement: {{ Effect: Deny, Action: a:b, Resource: r }}\n"),
            "template.yaml:8: Nlp: Effect Deny is not understood, only Allow",
        ),
    ] {
        assert_eq!(resources(text).map(|_| ()), Err(expected.to_owned()));
    }
}

#[test]
fn a_section_that_is_not_understood_is_refused_by_name() {
    for (text, expected) in [
        ("Rules: {}\n", "template.yaml:1: Rules: this section is not understood"),
        ("Transform: AWS::Include\n", "template.yaml:1: Transform: AWS::Include is not understood"),
        ("Globals:\n  Api: {}\n", "template.yaml:2: Globals: globals for Api are not understood"),
        (
            "Parameters:\n  A: { Type: 'AWS::SSM::Parameter' }\n",
            "template.yaml:2: A: the parameter type AWS::SSM::Parameter is not understood",
        ),
        ("Description: nothing\n", "template.yaml: there are no Resources"),
    ] {
        assert_eq!(plan(text).map(|_| ()), Err(expected.to_owned()));
    }
}

#[test]
fn broken_yaml_is_one_line_that_says_where() {
    for (text, expected) in [
        ("", "template.yaml: the file is empty"),
        ("A: &x 1\n", "template.yaml:1: a YAML anchor is not understood"),
        ("A: 1\nA: 2\n", "template.yaml:2: A is given twice"),
        ("A:\n", "template.yaml:1: a value is missing"),
        ("A: 1\n---\nB: 1\n", "template.yaml:2: a second document is not understood"),
        ("A: { Ref: x, Other: y }\n", "template.yaml:1: a function stands beside other keys"),
        ("A: !<tag:yaml.org,2002:int> 1\n", "template.yaml:1: the YAML tag tag:yaml.org,2002:int is not understood"),
    ] {
        assert_eq!(plan(text).map(|_| ()), Err(expected.to_owned()), "{text}");
    }
    let torn = plan("Resources: [\n").unwrap_err();
    assert!(torn.starts_with("template.yaml:") && torn.contains("not YAML") && !torn.contains('\n'), "{torn}");
}

#[test]
fn a_condition_that_does_not_hold_takes_its_resource_away() {
    let text = "Conditions:\n  Never: !Equals [a, b]\nResources:\n  A: { Type: AWS::SQS::Queue }\n  B:\n    Type: \
                AWS::SQS::Queue\n    Condition: Never\n";
    assert_eq!(plan(text).unwrap().queues.len(), 1);
    let asked = format!("{text}Outputs:\n  Url: {{ Value: !Ref B }}\n");
    let expected = "template.yaml:9: Url: B is not made, since the condition Never does not hold";
    assert_eq!(plan(&asked).map(|_| ()), Err(expected.to_owned()));
    let quiet = format!("{text}Outputs:\n  Url: {{ Condition: Never, Value: !Ref B }}\n");
    assert!(plan(&quiet).unwrap().outputs.is_empty());
}

#[test]
fn conditions_that_lead_back_to_themselves_are_refused() {
    let text =
        "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\nResources:\n  Q: { Type: AWS::SQS::Queue }\n";
    let error = plan(text).unwrap_err();
    assert!(error.contains("leads back to itself"), "{error}");
}

#[test]
fn a_dead_letter_queue_must_be_one_of_the_template() {
    let text = "  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:x:1:y' }\n";
    let expected = "template.yaml:2: A: no queue of this template is arn:aws:sqs:x:1:y";
    assert_eq!(resources(text).map(|_| ()), Err(expected.to_owned()));
}

const API: &str = "  Web:
    Type: AWS::ApiGatewayV2::Api
    Properties: { ProtocolType: HTTP, Name: web }
  Live:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Web, StageName: $default, AutoDeploy: true }
";

#[test]
fn a_route_to_a_function_that_is_missing_is_refused() {
    let integration = |uri: &str| {
        format!(
            "{API}  Call:\n    Type: AWS::ApiGatewayV2::Integration\n    Properties: {{ ApiId: !Ref Web, IntegrationType: \
             AWS_PROXY, IntegrationUri: {uri}, PayloadFormatVersion: '2.0' }}\n"
        )
    };
    let missing = resources(&integration("!GetAtt Nlp.Arn")).unwrap_err();
    assert!(missing.ends_with("Call: Nlp is neither a parameter nor a resource"), "{missing}");
    let elsewhere = resources(&integration("'arn:aws:lambda:us-east-1:1:function:nlp'")).unwrap_err();
    assert!(
        elsewhere.ends_with("Call: no function of this template is arn:aws:lambda:us-east-1:1:function:nlp"),
        "{elsewhere}"
    );
}

#[test]
fn a_route_to_an_integration_that_is_missing_is_refused() {
    let route = format!(
        "{API}  Me:\n    Type: AWS::ApiGatewayV2::Route\n    Properties: {{ ApiId: !Ref Web, RouteKey: ANY /v1/me, Target: integrations/none }}\n"
    );
    let error = resources(&route).unwrap_err();
    assert!(
        error.ends_with("Me: the route ANY /v1/me leads to integrations/none, which the API does not have"),
        "{error}"
    );
}

#[test]
fn globals_lie_under_what_a_function_says_itself() {
    let text = "
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 7
    MemorySize: 256
    Environment: { Variables: { A: global, B: global } }
Resources:
  Nlp:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda }
    Properties:
      CodeUri: functions/nlp/
      MemorySize: 512
      Environment: { Variables: { B: own, C: own } }
";
    let function = plan(text).unwrap().functions.remove(0);
    assert_eq!((function.timeout_s, function.memory_mb, function.binary.as_str()), (7, 512, "nlp"));
    let environment: Vec<_> = function.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(environment, ["A=global", "B=own", "C=own"]);
}

#[test]
fn names_and_properties_are_the_same_at_every_start() {
    let text = "  TurnsQueue:\n    Type: AWS::SQS::Queue\n    Properties: { FifoQueue: true, VisibilityTimeout: 30 }\n  \
                InstallationKey:\n    Type: AWS::KMS::Key\n    Properties: { EnableKeyRotation: true }\n";
    let (first, second) = (resources(text).unwrap(), resources(text).unwrap());
    assert_eq!(first, second);
    assert_eq!(first.queues[0].name, "turns.fifo");
    assert_eq!(first.queues[0].properties, json!({"FifoQueue": true, "VisibilityTimeout": 30}));
    assert_eq!(first.keys[0].id.len(), 36);
    assert!(first.keys[0].arn.ends_with(&format!("key/{}", first.keys[0].id)));
}
