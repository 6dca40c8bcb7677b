//! The demo's flows: their nodes, how often they run, and how they fail.

/// A flow of the demo.
pub(super) struct Flow {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) version: Version,
    pub(super) trigger: &'static str,
    pub(super) runs_a_day: i64,
    pub(super) hours: Hours,
    /// The percentage of runs that a person cancels halfway.
    pub(super) cancelled_percent: u32,
    pub(super) nodes: &'static [Node],
}

/// Engines write versions as numbers or as text, and so does the demo.
pub(super) enum Version {
    Number(i64),
    Text(&'static str),
}

/// At which times of the day a flow runs.
pub(super) enum Hours {
    /// Mostly around noon, rarely at night.
    Office,
    /// Equally often in every hour.
    Always,
    /// Once a day, at this hour.
    At(i64),
}

/// A part of a flow.
pub(super) enum Node {
    Step {
        id: &'static str,
        name: &'static str,
        kind: &'static str,
        mean_ms: i64,
        /// The percentage of runs that fail here, and the possible messages. `{name}` is
        /// replaced with the member of that name in the run's input.
        fails: (u32, &'static [&'static str]),
    },
    Fork {
        id: &'static str,
        name: &'static str,
        branches: &'static [BranchPlan],
    },
    Subflow {
        id: &'static str,
        name: &'static str,
        flow: &'static Flow,
        /// The sub-flow's input.
        region: &'static str,
    },
}

pub(super) struct BranchPlan {
    pub(super) id: &'static str,
    pub(super) nodes: &'static [Node],
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

/// Every flow that is not started by another flow.
pub(super) static ALL: &[Flow] = &[
    Flow {
        id: "order-pipeline",
        name: "Order processing",
        version: Version::Number(3),
        trigger: "WEBHOOK",
        runs_a_day: 24,
        hours: Hours::Office,
        cancelled_percent: 2,
        nodes: &[
            step("webhook", "Webhook trigger", "WEBHOOK_TRIGGER", 70, NEVER),
            step(
                "validate",
                "Validate the order",
                "IF_ELSE",
                90,
                (
                    2,
                    &[
                        "Order {orderId}: {sku} is not in the catalogue",
                        "Order {orderId}: the lines do not add up to {total} {currency}",
                    ],
                ),
            ),
            Node::Fork {
                id: "fulfil",
                name: "Fulfil in parallel",
                branches: &[
                    BranchPlan {
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
                                (3, &["Warehouse answered 409: item {sku} is out of stock"]),
                            ),
                        ],
                    },
                    BranchPlan {
                        id: "charge_card",
                        nodes: &[
                            Node::Fork {
                                id: "checks",
                                name: "Check in parallel",
                                branches: &[
                                    BranchPlan {
                                        id: "fraud",
                                        nodes: &[step(
                                            "fraud_score",
                                            "Score for fraud",
                                            "HTTP_REQUEST",
                                            1_200,
                                            NEVER,
                                        )],
                                    },
                                    BranchPlan {
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
                                        "Payment provider closed the connection",
                                    ],
                                ),
                            ),
                        ],
                    },
                    BranchPlan {
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
        runs_a_day: 12,
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
                    &["Element with id cart_button was not visible after 400 ms"],
                ),
            ),
            step(
                "assert_total",
                "Compare the total",
                "assert_text",
                300,
                (5, &["Expected \"{expectedTotal}\", found \"0.00\""]),
            ),
            step("screenshot", "Take a screenshot", "screenshot", 700, NEVER),
        ],
    },
    Flow {
        id: "invoice-import",
        name: "Invoice import",
        version: Version::Number(11),
        trigger: "SCHEDULE",
        runs_a_day: 12,
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
                    &["Connection to sftp-{supplier}.example refused (port 22)"],
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
                        "{file}, line 118: expected 9 columns, found 8",
                        "{file}, line 4: \"12,50\" is not a number in column amount",
                    ],
                ),
            ),
            step(
                "post",
                "Post to accounting",
                "HTTP_REQUEST",
                2_600,
                (
                    9,
                    &["Accounting answered 422: supplier {supplier} is blocked"],
                ),
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
                region: "EMEA",
            },
            Node::Subflow {
                id: "apac",
                name: "Render APAC",
                flow: &RENDER_REGION,
                region: "APAC",
            },
            Node::Subflow {
                id: "amer",
                name: "Render the Americas",
                flow: &RENDER_REGION,
                region: "AMER",
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
                    &[
                        "Encoder stopped at frame 40211 of {file}: unsupported pixel format yuv422p12le",
                    ],
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
