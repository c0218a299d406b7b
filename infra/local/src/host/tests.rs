use std::sync::Mutex;

use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::{
    functions,
    host::{
        issuer::LocalAgent,
        lambda::{Started, tests::Toy},
    },
};

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  OidcIssuer: {Type: String}
  OidcAudience: {Type: String}
  FirstAdministrator: {Type: String}
  SandboxUrl: {Type: String}
Resources:
  DeadQueue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: dead}
  WorkQueue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work
      VisibilityTimeout: 30
      RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadQueue.Arn, maxReceiveCount: 5}
  Echo:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda}
    Properties:
      CodeUri: functions/echo/
      Handler: bootstrap
      Runtime: provided.al2023
      Timeout: 5
      Environment:
        Variables: {SANDBOX_URL: !Ref SandboxUrl, WORK_QUEUE_URL: !Ref WorkQueue}
      Events:
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt WorkQueue.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: api, ProtocolType: HTTP}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}
  Tokens:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: tokens
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: {Issuer: !Ref OidcIssuer, Audience: [!Ref OidcAudience]}
  EchoIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      PayloadFormatVersion: '2.0'
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations'
  OpenRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: 'ANY /v1/open', Target: !Sub 'integrations/${EchoIntegration}'}
  ClosedRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: 'ANY /v1/closed'
      AuthorizationType: JWT
      AuthorizerId: !Ref Tokens
      Target: !Sub 'integrations/${EchoIntegration}'
"#;

struct Bench {
    folder: tempfile::TempDir,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("template.yaml"), TEMPLATE).unwrap();
        Self { folder, events: Arc::default() }
    }

    fn options(&self) -> Options {
        let events = Arc::clone(&self.events);
        Options {
            template: self.folder.path().join("template.yaml"),
            root: self.folder.path().to_owned(),
            functions: Arc::new(move |binary, configuration, _| {
                let (binary, events) = (binary.to_owned(), Arc::clone(&events));
                let sandbox = configuration.required("SANDBOX_URL")?;
                let code = Toy(move |event: Value| {
                    events.lock().unwrap().push(event.clone());
                    let answer = json!({ "statusCode": 200, "body": format!("{binary} {sandbox}") });
                    async move { Ok(answer) }
                });
                Ok(Arc::new(code) as Arc<dyn Started>)
            }),
            ..Options::new(&self.folder.path().join("data"))
        }
    }

    async fn start(&self) -> Result<Host, HostError> {
        Host::start(self.options(), |_| Box::pin(async { Ok(li()) })).await
    }
}

fn li() -> Prepared {
    Prepared {
        agents: Arc::new(|wanted| {
            let known = matches!(wanted, "agt_li" | "li@colloquy.test");
            Box::pin(async move {
                known.then(|| LocalAgent {
                    id: "agt_li".to_owned(),
                    email: "li@colloquy.test".to_owned(),
                    name: "Li".to_owned(),
                })
            })
        }),
        ..Prepared::nobody()
    }
}

async fn get(host: &Host, path: &str) -> (u16, String) {
    let answer = reqwest::get(host.url(path)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_host_serves_what_its_template_says_from_sign_in_to_function() {
    let bench = Bench::new();
    let host = bench.start().await.unwrap();
    assert_eq!(get(&host, "/healthz").await.0, 200);
    assert_eq!(get(&host, "/v1/open").await, (200, format!("echo {}", host.url("/sandbox"))));
    assert_eq!(get(&host, "/v1/elsewhere").await.0, 404);
    assert_eq!(get(&host, "/v1/closed").await.0, 401);
    let client = reqwest::Client::new();
    let unknown = client.post(host.url("/local/login")).body("{\"agent\":\"agt_x\"}").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    let login = client.post(host.url("/local/login")).body("{\"agent\":\"li@colloquy.test\"}").send().await.unwrap();
    let login: Value = login.json().await.unwrap();
    let closed = client.get(host.url("/v1/closed")).bearer_auth(login["token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(closed.status(), 200);
    {
        let events = bench.events.lock().unwrap();
        assert_eq!(events.last().unwrap()["requestContext"]["authorizer"]["jwt"]["claims"]["sub"], "agt_li");
    }
    let keys: Value = serde_json::from_str(&get(&host, "/.well-known/jwks.json").await.1).unwrap();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert!(get(&host, "/local/ledger").await.1.contains("\"operations\""));
    assert!(get(&host, "/config.json").await.1.contains("\"local\":true"));
    host.shutdown().await;
}

#[tokio::test]
async fn what_was_sent_before_a_restart_is_handled_after_it() {
    let bench = Bench::new();
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let first = bench.start().await.unwrap();
    let sqs = aws_sdk_sqs::Client::new(&first.engine().sdk_config());
    let url = first.plan().queue("dead").unwrap().url.clone();
    sqs.send_message().queue_url(url).message_body("left over").send().await.unwrap();
    first.shutdown().await;
    let mut options = bench.options();
    options.functions = Arc::new(move |_, _, _| {
        let sent = sent.clone();
        let code = Toy(move |event: Value| {
            sent.send(event).unwrap();
            async { Ok(Value::Null) }
        });
        Ok(Arc::new(code) as Arc<dyn Started>)
    });
    let moved = TEMPLATE.replace("Queue: !GetAtt WorkQueue.Arn", "Queue: !GetAtt DeadQueue.Arn");
    std::fs::write(&options.template, moved).unwrap();
    let second = Host::start(options, |_| Box::pin(async { Ok(Prepared::nobody()) })).await.unwrap();
    let event = received.recv().await.unwrap();
    assert_eq!(event["Records"][0]["body"], "left over");
    second.shutdown().await;
}

#[tokio::test]
async fn a_data_folder_serves_one_host_at_a_time() {
    let bench = Bench::new();
    let host = bench.start().await.unwrap();
    let refusal = bench.start().await.unwrap_err().to_string();
    assert!(refusal.contains("in use by another host"), "{refusal}");
    host.shutdown().await;
    bench.start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn what_cannot_start_says_why_in_one_line() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = Options { port, ..bench.options() };
    let refusal = Host::start(options, |_| Box::pin(async { Ok(li()) })).await.unwrap_err();
    assert!(matches!(refusal, HostError::PortTaken { .. }), "{refusal}");

    let file = bench.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let options = Options { data: file, ..bench.options() };
    let refusal = Host::start(options, |_| Box::pin(async { Ok(li()) })).await.unwrap_err();
    assert!(matches!(refusal, HostError::Data { .. }), "{refusal}");

    let mut options = bench.options();
    options.functions = Arc::new(functions::start);
    let refusal = Host::start(options, |_| Box::pin(async { Ok(li()) })).await.unwrap_err();
    assert_eq!(refusal.to_string(), "function Echo: there is no binary `echo` in this host");

    let broken = bench.options();
    std::fs::write(&broken.template, "Resources: [").unwrap();
    let refusal = Host::start(broken, |_| Box::pin(async { Ok(li()) })).await.unwrap_err().to_string();
    assert!(refusal.starts_with("the template cannot be used: "), "{refusal}");
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_repositorys_template_starts_with_this_repositorys_functions() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = |_| -> BoxFuture<'static, Result<Prepared, HostError>> { Box::pin(async { Ok(Prepared::nobody()) }) };
    let host = Host::start(Options::new(folder.path()), nobody).await.unwrap();
    assert_eq!(get(&host, "/healthz").await.0, 200);
    assert_eq!(get(&host, "/v1/me").await.0, 401);
    assert_eq!(get(&host, "/v1/openapi.json").await.0, 200);
    assert_eq!(get(&host, "/socket").await.0, 400, "not a WebSocket");
    assert_eq!(get(&host, "/webhooks/whatsapp/inb_missing").await.0, 404);
    host.shutdown().await;
    let again = Host::start(Options::new(folder.path()), nobody).await.unwrap();
    assert_eq!(get(&again, "/v1/openapi.json").await.0, 200);
    again.shutdown().await;
}
