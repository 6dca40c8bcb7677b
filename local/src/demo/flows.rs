//! The demo's flows: what they are made of, how often they run, and how they
//! fail.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use uuid::Builder;

use super::plan::{Outcome, Place, Plan, PlannedStep, object};

/// A flow of the demo.
pub(super) struct Flow {
    pub(super) id: &'static str,
    name: &'static str,
    version: Version,
    trigger: &'static str,
    pub(super) runs_a_day: i64,
    hours: Hours,
    /// Of a hundred runs, how many a person cancels half-way.
    cancelled_percent: u32,
    nodes: &'static [Node],
}

/// Engines write versions as numbers or as text; so does the demo.
enum Version {
    Number(i64),
    Text(&'static str),
}

/// When in the day a flow runs.
enum Hours {
    /// Most around noon, few at night.
    Office,
    /// Every hour alike.
    Always,
    /// Once, at this hour.
    At(i64),
}

/// A part of a flow.
enum Node {
    Step {
        id: &'static str,
        name: &'static str,
        kind: &'static str,
        mean_ms: i64,
        /// Of a hundred runs, how many fail here, and with which words.
        fails: (u32, &'static [&'static str]),
    },
    Fork {
        id: &'static str,
        name: &'static str,
        branches: &'static [Branch],
    },
    Subflow {
        id: &'static str,
        name: &'static str,
        flow: &'static Flow,
    },
}

struct Branch {
    id: &'static str,
    nodes: &'static [Node],
}

const NEVER: (u32, &[&str]) = (0, &[]);

const fn step(
    id: &'static str,
    name: &'static str,
    kind: &'static str,
    mean_ms: i64,
    fails: (u32, &'static [&'static str]),
) -> Node {
    Node::Step {
        id,
        name,
        kind,
        mean_ms,
        fails,
    }
}

static RENDER_REGION: Flow = Flow {
    id: "render-region",
    name: "Render one region",
    version: Version::Number(4),
    trigger: "API",
    runs_a_day: 0,
    hours: Hours::Always,
    cancelled_percent: 0,
    nodes: &[
        step("query", "Query the figures", "SQL_QUERY", 4_000, NEVER),
        step(
            "render",
            "Render the pages",
            "RENDER_PDF",
            6_000,
            (4, &["Renderer ran out of memory: 512 MB used of 512 MB"]),
        ),
    ],
};

/// Every flow that runs by itself.
pub(super) static ALL: &[Flow] = &[
    Flow {
        id: "order-pipeline",
        name: "Order processing",
        version: Version::Number(3),
        trigger: "WEBHOOK",
        runs_a_day: 60,
        hours: Hours::Office,
        cancelled_percent: 2,
        nodes: &[
            step("webhook", "Webhook trigger", "WEBHOOK_TRIGGER", 70, NEVER),
            step(
                "validate",
                "Validate the order",
                "IF_ELSE",
                90,
                (2, &["Order has no lines", "Unknown currency: XBT"]),
            ),
            Node::Fork {
                id: "fulfil",
                name: "Fulfil in parallel",
                branches: &[
                    Branch {
                        id: "reserve_stock",
                        nodes: &[
                            step(
                                "find_warehouse",
                                "Find a warehouse",
                                "HTTP_REQUEST",
                                900,
                                NEVER,
                            ),
                            step(
                                "reserve",
                                "Reserve the stock",
                                "HTTP_REQUEST",
                                1_400,
                                (
                                    3,
                                    &["Warehouse answered 409: item SKU-2219 is out of stock"],
                                ),
                            ),
                        ],
                    },
                    Branch {
                        id: "charge_card",
                        nodes: &[
                            Node::Fork {
                                id: "checks",
                                name: "Check in parallel",
                                branches: &[
                                    Branch {
                                        id: "fraud",
                                        nodes: &[step(
                                            "fraud_score",
                                            "Score for fraud",
                                            "HTTP_REQUEST",
                                            1_200,
                                            NEVER,
                                        )],
                                    },
                                    Branch {
                                        id: "credit",
                                        nodes: &[step(
                                            "credit_limit",
                                            "Look up the credit limit",
                                            "SQL_QUERY",
                                            300,
                                            NEVER,
                                        )],
                                    },
                                ],
                            },
                            step(
                                "charge",
                                "Charge the card",
                                "HTTP_REQUEST",
                                2_200,
                                (
                                    6,
                                    &[
                                        "Card was declined: insufficient funds",
                                        "Payment provider did not answer within 10 s",
                                    ],
                                ),
                            ),
                        ],
                    },
                    Branch {
                        id: "notify",
                        nodes: &[step(
                            "email",
                            "Send the confirmation",
                            "SEND_EMAIL",
                            600,
                            NEVER,
                        )],
                    },
                ],
            },
            step("join", "Join", "PARALLEL_JOIN", 20, NEVER),
            step(
                "ship",
                "Hand over to shipping",
                "HTTP_REQUEST",
                1_100,
                NEVER,
            ),
        ],
    },
    Flow {
        id: "device-smoke-test",
        name: "Device smoke test",
        version: Version::Text("2026-10"),
        trigger: "SCHEDULE",
        runs_a_day: 24,
        hours: Hours::Always,
        cancelled_percent: 0,
        nodes: &[
            step("launch", "Launch the app", "launch_app", 2_000, NEVER),
            step("sign_in", "Sign in", "type_text", 3_000, NEVER),
            step(
                "open_cart",
                "Open the cart",
                "tap",
                900,
                (
                    7,
                    &["Element with id cart_button was not visible after 5000 ms"],
                ),
            ),
            step(
                "assert_total",
                "Compare the total",
                "assert_text",
                300,
                (5, &["Expected \"129.50\", found \"0.00\""]),
            ),
            step("screenshot", "Take a screenshot", "screenshot", 700, NEVER),
        ],
    },
    Flow {
        id: "invoice-import",
        name: "Invoice import",
        version: Version::Number(11),
        trigger: "SCHEDULE",
        runs_a_day: 16,
        hours: Hours::Office,
        cancelled_percent: 1,
        nodes: &[
            step(
                "download",
                "Download the file",
                "SFTP_GET",
                3_500,
                (
                    12,
                    &["Connection to sftp.supplier.example refused (port 22)"],
                ),
            ),
            step(
                "parse",
                "Parse the lines",
                "PARSE_CSV",
                800,
                (
                    14,
                    &[
                        "Line 118: expected 9 columns, found 8",
                        "Line 4: \"12,50\" is not a number in column amount",
                    ],
                ),
            ),
            step(
                "post",
                "Post to accounting",
                "HTTP_REQUEST",
                2_600,
                (9, &["Accounting answered 422: supplier 88121 is blocked"]),
            ),
        ],
    },
    Flow {
        id: "nightly-report",
        name: "Nightly report",
        version: Version::Number(7),
        trigger: "SCHEDULE",
        runs_a_day: 1,
        hours: Hours::At(2),
        cancelled_percent: 0,
        nodes: &[
            step("collect", "Collect the day", "SQL_QUERY", 9_000, NEVER),
            Node::Subflow {
                id: "emea",
                name: "Render EMEA",
                flow: &RENDER_REGION,
            },
            Node::Subflow {
                id: "apac",
                name: "Render APAC",
                flow: &RENDER_REGION,
            },
            Node::Subflow {
                id: "amer",
                name: "Render the Americas",
                flow: &RENDER_REGION,
            },
            step(
                "send",
                "Send to the subscribers",
                "SEND_EMAIL",
                2_000,
                NEVER,
            ),
        ],
    },
    Flow {
        id: "video-archive",
        name: "Video archive",
        version: Version::Text("v2.1"),
        trigger: "MANUAL",
        runs_a_day: 2,
        hours: Hours::Office,
        cancelled_percent: 10,
        nodes: &[
            step("probe", "Probe the file", "FFPROBE", 4_000, NEVER),
            step(
                "normalise",
                "Normalise the sound",
                "TRANSCODE",
                90_000,
                NEVER,
            ),
            step(
                "transcode",
                "Transcode to AV1",
                "TRANSCODE",
                420_000,
                (
                    5,
                    &["Encoder stopped at frame 40211: unsupported pixel format yuv422p12le"],
                ),
            ),
            step(
                "thumbnails",
                "Cut the thumbnails",
                "TRANSCODE",
                45_000,
                NEVER,
            ),
            step("upload", "Upload to cold storage", "UPLOAD", 120_000, NEVER),
            step(
                "catalogue",
                "Enter into the catalogue",
                "SQL_QUERY",
                700,
                NEVER,
            ),
        ],
    },
];

const HOUR_MS: i64 = 3_600_000;

impl Flow {
    /// A time of day at which the flow begins, in milliseconds after midnight.
    pub(super) fn time_of_day(&self, random: &mut StdRng) -> i64 {
        let anywhere = |random: &mut StdRng| random.random_range(0..24 * HOUR_MS);
        match self.hours {
            Hours::Always => anywhere(random),
            Hours::At(hour) => hour * HOUR_MS + random.random_range(0..60_000),
            // The mean of three is near the middle more often than not.
            Hours::Office => (anywhere(random) + anywhere(random) + anywhere(random)) / 3 + HOUR_MS,
        }
    }

    /// Lays out a run that is asked for at `at`, and the runs it starts.
    pub(super) fn plan(&self, random: &mut StdRng, at: i64) -> Vec<Plan> {
        let subject = subject(self.id, random);
        let mut layout = Layout {
            random,
            steps: Vec::new(),
            started: Vec::new(),
            subject: &subject,
        };
        let execution_id = layout.id();
        let created = at;
        let start = created + layout.random.random_range(20..400);
        let (mut end, failure) = layout.nodes(self.nodes, start, &Place::Top, &execution_id);
        let mut outcome = failure.map_or(Outcome::Completed, Outcome::Failed);
        let is_cancelled = layout.random.random_range(0..100) < self.cancelled_percent;
        if is_cancelled && outcome == Outcome::Completed {
            end = start + (end - start) / 2;
            outcome = Outcome::Cancelled;
            layout.cut_off(end);
        }
        let Layout { steps, started, .. } = layout;
        let mut attributes = object(json!({
            "teamId": "default",
            "flowId": self.id,
            "flowName": self.name,
            "flowVersion": match self.version {
                Version::Number(number) => json!(number),
                Version::Text(text) => json!(text),
            },
            "executionType": "PARENT",
            "trigger": self.trigger,
            "labels": {"source": "demo"},
        }));
        if let Some(order) = subject.get("orderId") {
            attributes["labels"]["orderId"] = order.to_string().into();
        }
        if let Some(device) = subject.get("deviceId") {
            attributes.insert("deviceId".to_owned(), device.clone());
        }
        let own = Plan {
            execution_id,
            attributes,
            created,
            start,
            end,
            outcome,
            steps,
            input: subject,
        };
        [vec![own], started].concat()
    }
}

/// What a run is about.
fn subject(flow_id: &str, random: &mut StdRng) -> Value {
    const CUSTOMERS: [&str; 5] = ["Acme Corp", "Globex", "Initech", "Hooli", "Müller & Söhne"];
    const DEVICES: [&str; 6] = [
        "pixel-9",
        "pixel-7a",
        "iphone-16",
        "iphone-13-mini",
        "galaxy-s25",
        "fairphone-5",
    ];
    let mut pick = |limit: usize| random.random_range(0..limit);
    match flow_id {
        "order-pipeline" => json!({
            "orderId": 100_000 + pick(900_000),
            "customer": CUSTOMERS[pick(CUSTOMERS.len())],
            "total": (pick(50_000) as f64) / 100.0,
            "currency": "EUR",
            "lines": [{"sku": format!("SKU-{}", 1_000 + pick(9_000)), "quantity": 1 + pick(5)}],
        }),
        "device-smoke-test" => json!({
            "deviceId": DEVICES[pick(DEVICES.len())],
            "build": format!("7.{}.{}", pick(9), pick(40)),
        }),
        "invoice-import" => json!({
            "supplier": 88_000 + pick(400),
            "file": format!("invoices-{:05}.csv", pick(100_000)),
        }),
        "video-archive" => json!({
            "file": format!("tape-{:04}.mov", pick(10_000)),
            "minutes": 20 + pick(100),
        }),
        _ => json!({"region": "all"}),
    }
}

/// A run that is being laid out.
struct Layout<'a> {
    random: &'a mut StdRng,
    steps: Vec<PlannedStep>,
    started: Vec<Plan>,
    subject: &'a Value,
}

impl Layout<'_> {
    /// Lays out nodes one after another, up to the first failure. Returns when
    /// the last of them ends, and with which failure.
    fn nodes(
        &mut self,
        nodes: &'static [Node],
        start: i64,
        place: &Place,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        let mut clock = start;
        for (position, node) in nodes.iter().enumerate() {
            let (end, failure) = self.node(node, clock, place, execution_id);
            if failure.is_some() {
                self.skip(&nodes[position + 1..], end, place);
                return (end, failure);
            }
            clock = end + self.random.random_range(2..40);
        }
        (clock, None)
    }

    fn node(
        &mut self,
        node: &'static Node,
        start: i64,
        place: &Place,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        match node {
            Node::Step { .. } => self.step(node, start, place),
            Node::Fork { branches, .. } => self.fork(node, branches, start, place, execution_id),
            Node::Subflow { flow, .. } => self.subflow(node, flow, start, place, execution_id),
        }
    }

    fn step(&mut self, node: &'static Node, start: i64, place: &Place) -> (i64, Option<String>) {
        let mut step = self.planned(node, start, place);
        if let Node::Step {
            mean_ms,
            fails,
            kind,
            ..
        } = node
        {
            let (percent, words) = fails;
            step.end = start + self.random.random_range(mean_ms / 2..mean_ms * 2).max(1);
            if self.random.random_range(0..100) < *percent {
                let word = words[self.random.random_range(0..words.len())];
                step.outcome = Outcome::Failed(word.to_owned());
                step.retry_count = 2;
            } else if *kind == "HTTP_REQUEST" {
                step.retry_count = u32::from(self.random.random_range(0..20) == 0);
            }
        }
        self.finish(step)
    }

    fn fork(
        &mut self,
        node: &'static Node,
        branches: &'static [Branch],
        start: i64,
        place: &Place,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        let mut fork = self.planned(node, start, place);
        let position = self.steps.len();
        let mut failure = None;
        self.steps.push(fork.clone());
        for branch in branches {
            let place = Place::Branch {
                fork_id: fork.step_instance_id.clone(),
                fork_start: start,
                branch_execution_id: self.id(),
                branch_id: branch.id,
            };
            let (end, branch_failure) = self.nodes(branch.nodes, start + 5, &place, execution_id);
            fork.end = fork.end.max(end);
            failure = failure.or(branch_failure);
        }
        fork.output = json!({"branches": branches.len()});
        if let Some(failure) = &failure {
            fork.outcome = Outcome::Failed(format!("A branch has failed. {failure}"));
        }
        let end = fork.end;
        self.steps[position] = fork;
        (end, failure)
    }

    fn subflow(
        &mut self,
        node: &'static Node,
        flow: &'static Flow,
        start: i64,
        place: &Place,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        let mut step = self.planned(node, start, place);
        let mut plans = flow.plan(self.random, start + 10);
        if let Some(plan) = plans.first_mut() {
            plan.attributes.extend(object(json!({
                "executionType": "SUBFLOW",
                "parentExecutionId": execution_id,
                "parentStepInstanceId": step.step_instance_id,
            })));
            step.end = plan.end + 15;
            step.outcome = plan.outcome.clone();
            step.subflow_execution_id = Some(plan.execution_id.clone());
        }
        self.started.append(&mut plans);
        self.finish(step)
    }

    /// A step that ends well at the moment it begins.
    fn planned(&mut self, node: &'static Node, start: i64, place: &Place) -> PlannedStep {
        let (step_id, name, kind) = match *node {
            Node::Step { id, name, kind, .. } => (id, name, kind),
            Node::Fork { id, name, .. } => (id, name, "PARALLEL_FORK_MANAGER"),
            Node::Subflow { id, name, .. } => (id, name, "SUBFLOW"),
        };
        PlannedStep {
            place: place.clone(),
            step_instance_id: self.id(),
            step_id,
            name,
            kind,
            start,
            end: start,
            outcome: Outcome::Completed,
            retry_count: 0,
            input: self.subject.clone(),
            output: json!({"ok": true, "by": step_id}),
            subflow_execution_id: None,
        }
    }

    /// Adds a step; tells when it ends, and with which failure.
    fn finish(&mut self, step: PlannedStep) -> (i64, Option<String>) {
        let failure = match &step.outcome {
            Outcome::Failed(words) => Some(format!("{}: {words}", step.name)),
            _ => None,
        };
        let end = step.end;
        self.steps.push(step);
        (end, failure)
    }

    /// Notes the steps that are not run after a failure.
    fn skip(&mut self, nodes: &'static [Node], at: i64, place: &Place) {
        for node in nodes {
            let mut step = self.planned(node, at, place);
            step.outcome = Outcome::Skipped;
            (step.input, step.output) = (Value::Null, Value::Null);
            self.steps.push(step);
        }
    }

    /// Ends every step at `end` at the latest, as a cancel does.
    fn cut_off(&mut self, end: i64) {
        self.steps.retain(|step| step.start < end);
        for step in self.steps.iter_mut().filter(|step| step.end > end) {
            step.end = end;
            step.outcome = Outcome::Cancelled;
        }
    }

    fn id(&mut self) -> String {
        Builder::from_random_bytes(self.random.random())
            .into_uuid()
            .to_string()
    }
}
