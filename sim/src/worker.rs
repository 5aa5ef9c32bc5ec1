//! A worker: the real road on the real SDK clients, with time, chance and connections of the simulation.

use crate::bounds::MS;
use crate::call::{Reply, Request};
use crate::functions::Function;
use crate::timeline::Timeline;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep as SdkSleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use rollcall::batch::Road;
use rollcall::decide::decide;
use rollcall::directory::chime::Chime;
use rollcall::host::Host;
use rollcall::ledger::Ledger;
use rollcall::policy::Policy;
use rollcall::queue::{Parked, Queue};
use rollcall::routes;
use rollcall::rules::Rules;
use rollcall::seal::Keys;
use rollcall_local::chime::http::Request as ChimeRequest;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

/// The road of a simulated worker.
pub type SimRoad = Road<Chime<SimHost>, SimQueue, SimHost>;

/// Each worker has a region of its own, by name: the SDK keeps one budget of retries per process and region, and a
/// worker is a process of its own.
static REGIONS: AtomicU64 = AtomicU64::new(0);

/// Builds a worker's road: an environment of one function that was just started.
#[must_use]
pub fn road(
    timeline: &Timeline,
    function: Function,
    worker: usize,
    skew: i64,
    policy: &Policy,
    keys: &Keys,
) -> SimRoad {
    let host = SimHost { timeline: timeline.clone(), skew };
    let region = Region::new(format!("sim-{}", REGIONS.fetch_add(1, Ordering::Relaxed)));
    let sdk = |service: Service| sdk(&host, worker, service, region.clone());
    Road {
        function: match function {
            Function::Invite => routes::Function::InviteUser,
            Function::Suspend => routes::Function::SuspendUser,
            Function::Reinstate => routes::Function::ReinstateUser,
            Function::Logout => routes::Function::LogoutUser,
            Function::Relicense => routes::Function::RelicenseUser,
            Function::Intake => routes::Function::HrIntake,
        },
        directory: Chime::new(&sdk(Service::Directory), host.clone()),
        ledger: Ledger::new(aws_sdk_dynamodb::Client::new(&sdk(Service::Ledger)), "rollcall", host.clone()),
        queue: SimQueue { timeline: timeline.clone(), worker },
        rules: RwLock::new(Arc::new(Rules::new(policy.clone(), keys))),
        keys: keys.clone(),
        decide,
        host,
    }
}

/// Builds the ledger of the operator's tool, which is a process of its own. Its clock is right.
#[must_use]
pub fn desk(timeline: &Timeline) -> Ledger<SimHost> {
    let host = SimHost { timeline: timeline.clone(), skew: 0 };
    let region = Region::new(format!("sim-{}", REGIONS.fetch_add(1, Ordering::Relaxed)));
    let client = aws_sdk_dynamodb::Client::new(&sdk(&host, usize::MAX, Service::Ledger, region));
    Ledger::new(client, "rollcall", host)
}

/// Time from the timeline, by a clock that may be off; chance from the seed.
#[derive(Clone, Debug)]
pub struct SimHost {
    timeline: Timeline,
    skew: i64,
}

impl Host for SimHost {
    fn now(&self) -> Timestamp {
        instant(self.timeline.now() + self.skew)
    }

    async fn sleep(&self, duration: Duration) {
        self.timeline.sleep(micros(duration)).await;
    }

    fn random(&self) -> u128 {
        self.timeline.random()
    }
}

impl AsyncSleep for SimHost {
    fn sleep(&self, duration: Duration) -> SdkSleep {
        SdkSleep::new(self.timeline.sleep(micros(duration)))
    }
}

impl TimeSource for SimHost {
    fn now(&self) -> SystemTime {
        let since = u64::try_from(self.timeline.now() + self.skew).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_micros(since)
    }
}

/// The queue port of a worker.
#[derive(Clone, Debug)]
pub struct SimQueue {
    timeline: Timeline,
    worker: usize,
}

impl Queue for SimQueue {
    async fn park(&self, messages: &[Parked]) -> Vec<bool> {
        match self.timeline.call(self.worker, Request::Park(messages.to_vec())).await {
            Reply::Parked(parked) => parked,
            Reply::Http { .. } | Reply::Broken | Reply::Delayed => vec![false; messages.len()],
        }
    }

    async fn delay(&self, messages: &[(String, Duration)]) {
        let _told = self.timeline.call(self.worker, Request::Delay(messages.to_vec())).await;
    }
}

#[derive(Clone, Copy, Debug)]
enum Service {
    Ledger,
    Directory,
}

fn sdk(host: &SimHost, worker: usize, service: Service, region: Region) -> SdkConfig {
    let timeline = host.timeline.clone();
    let client =
        http_client_fn(move |_, _| SharedHttpConnector::new(Connector { timeline: timeline.clone(), worker, service }));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(region)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("sim", "sim", None, None, "sim")))
        .endpoint_url("http://service.example")
        .sleep_impl(host.clone())
        .time_source(host.clone())
        .timeout_config(rollcall::start::timeouts())
        .retry_config(rollcall::start::retries())
        .http_client(client)
        .build()
}

/// A connection into the simulation.
#[derive(Debug)]
struct Connector {
    timeline: Timeline,
    worker: usize,
    service: Service,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).map(str::to_owned);
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let request = match self.service {
            Service::Ledger => {
                let target = header("x-amz-target").unwrap_or_default();
                let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                Request::Ledger { operation, body }
            }
            Service::Directory => {
                let uri = request.uri().strip_prefix("http://service.example").unwrap_or_default();
                let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
                let attempt = header("amz-sdk-request").and_then(|header| attempt(&header)).unwrap_or(1);
                let request = ChimeRequest {
                    method: request.method().to_owned(),
                    path: path.to_owned(),
                    query: query.to_owned(),
                    authorization: header("authorization"),
                    has_length: header("content-length").is_some(),
                    body,
                };
                Request::Directory { request, attempt }
            }
        };
        let waiting = self.timeline.call(self.worker, request);
        HttpConnectorFuture::new(async move { response(waiting.await) })
    }
}

/// The number of an attempt: `attempt=2; max=3`.
fn attempt(header: &str) -> Option<u32> {
    header.split(';').find_map(|part| part.trim().strip_prefix("attempt=")?.parse().ok())
}

fn response(reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let broken = || ConnectorError::io("the connection broke".into());
    match reply {
        Reply::Http { status, error_type, body } => {
            let status = status.try_into().map_err(|_| broken())?;
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            if let Some(error_type) = error_type {
                response.headers_mut().insert("x-amzn-errortype", error_type);
            }
            Ok(response)
        }
        Reply::Broken | Reply::Parked(_) | Reply::Delayed => Err(broken()),
    }
}

/// A duration in the timeline's microseconds.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// An instant of the timeline.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// Milliseconds since 1970 of an instant of the timeline.
pub(crate) fn millis(micros: i64) -> i64 {
    micros.div_euclid(MS)
}
