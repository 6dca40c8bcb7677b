//! Models and what is built around them.

use super::{
    Body, Format, Part, TokenRule, at_least, between, exactly, near, near_between, part, token,
};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("openai-key", "an OpenAI API key",
        "OpenAI documentation, API keys; gitleaks `openai-api-key`", &[
            at_least("sk-proj-", Body::Base64Url, 40),
            at_least("sk-svcacct-", Body::Base64Url, 40),
            at_least("sk-service-", Body::Base64Url, 40),
            at_least("sk-admin-", Body::Base64Url, 40), at_least("sk-None-", Body::Base64Url, 40),
            at_least("sk-", Body::Alphanumeric, 40), at_least("sk-", Body::LowerHex, 32),
            exactly("sess-", Body::Alphanumeric, 40),
    ]),
    token("anthropic-key", "an Anthropic API key",
        "Anthropic documentation, API keys; gitleaks `anthropic-api-key`", &[
            at_least("sk-ant-", Body::Base64Url, 40),
    ]),
    token("openrouter-key", "an OpenRouter API key",
        "OpenRouter documentation; trufflehog `openrouter`", &[
            exactly("sk-or-v1-", Body::LowerHex, 64), at_least("sk-or-", Body::Base64Url, 40),
    ]),
    token("groq-key", "a Groq API key",
        "Groq documentation; trufflehog `groq`", &[
            at_least("gsk_", Body::Alphanumeric, 48),
    ]),
    token("perplexity-key", "a Perplexity API key",
        "Perplexity documentation; gitleaks `perplexity-api-key`", &[
            at_least("pplx-", Body::Alphanumeric, 40),
    ]),
    token("xai-key", "an xAI API key",
        "xAI documentation; trufflehog `xai`", &[
            at_least("xai-", Body::Word, 70),
    ]),
    token("replicate-token", "a Replicate token",
        "Replicate documentation; trufflehog `replicate`", &[
            exactly("r8_", Body::Base64Url, 37),
    ]),
    token("huggingface-token", "a Hugging Face token",
        "Hugging Face documentation, user access tokens; gitleaks `huggingface-access-token`", &[
            at_least("hf_", Body::Alphanumeric, 34), exactly("api_org_", Body::Alphanumeric, 34),
            at_least("hf_oauth_", Body::Dotted, 30),
    ]),
    token("mistral-key", "a Mistral AI API key",
        "Mistral documentation, API keys", &[
            near(&["mistral", "mistralai"], Body::Alphanumeric, 32),
    ]),
    token("cohere-key", "a Cohere API key",
        "Cohere documentation; gitleaks `cohere-api-token`", &[
            near(&["cohere", "coapi"], Body::Alphanumeric, 40),
    ]),
    token("deepseek-key", "a DeepSeek, Moonshot, DashScope or SiliconFlow API key: `sk-…`",
        "the providers' documentation; trufflehog `deepseek`", &[
            at_least("sk-", Body::LowerNum, 32), at_least("sk-kimi-", Body::Alphanumeric, 40),
            at_least("sk-sp-", Body::Alphanumeric, 30),
    ]),
    token("together-key", "a Together AI API key",
        "Together AI documentation", &[
            at_least("tgp_v1_", Body::Base64Url, 40),
            near(&["together", "togetherai"], Body::LowerHex, 64),
    ]),
    token("fireworks-key", "a Fireworks AI API key",
        "Fireworks documentation; GitHub secret scanning", &[
            between("fw_", Body::Alphanumeric, 22, 28), at_least("fpk_", Body::Alphanumeric, 22),
            at_least("fwk_", Body::Alphanumeric, 22),
    ]),
    token("cerebras-key", "a Cerebras API key",
        "Cerebras documentation", &[
            at_least("csk-", Body::LowerNum, 40),
    ]),
    token("sambanova-key", "a SambaNova API key",
        "SambaNova documentation", &[
            near(&["sambanova"], Body::HexDash, 36),
    ]),
    token("elevenlabs-key", "an ElevenLabs API key",
        "ElevenLabs documentation; trufflehog `elevenlabs`", &[
            exactly("sk_", Body::LowerHex, 48), near(&["elevenlabs", "xi"], Body::LowerHex, 32),
    ]),
    token("deepgram-key", "a Deepgram API key",
        "Deepgram documentation; trufflehog `deepgram`", &[
            near(&["deepgram"], Body::LowerHex, 40),
    ]),
    token("assemblyai-key", "an AssemblyAI API key",
        "AssemblyAI documentation; trufflehog `assemblyai`", &[
            near(&["assemblyai"], Body::LowerHex, 32),
    ]),
    token("stability-key", "a Stability AI API key",
        "Stability AI documentation", &[
            near(&["stability", "stabilityai", "dreamstudio"], Body::Base64Url, 51),
    ]),
    token("leonardo-key", "a Leonardo AI API key",
        "Leonardo documentation", &[
            near(&["leonardo"], Body::HexDash, 36),
    ]),
    token("voyage-key", "a Voyage AI API key",
        "Voyage AI documentation", &[
            exactly("pa-", Body::Base64Url, 43),
    ]),
    token("jina-key", "a Jina AI API key",
        "Jina documentation", &[
            at_least("jina_", Body::Base64Url, 40),
    ]),
    token("langsmith-key", "a LangSmith or LangChain API key",
        "LangSmith documentation; GitHub secret scanning; trufflehog `langsmith`", &[
            at_least("lsv2_pt_", Body::Word, 40), at_least("lsv2_sk_", Body::Word, 40),
            exactly("ls__", Body::LowerHex, 32),
    ]),
    token("langfuse-key", "a Langfuse secret key",
        "Langfuse documentation, API keys; trufflehog `langfuse`", &[
            exactly("sk-lf-", Body::HexDash, 36),
    ]),
    token("helicone-key", "a Helicone API key",
        "Helicone documentation", &[
            at_least("sk-helicone-", Body::Base64Url, 20),
            at_least("pk-helicone-", Body::Base64Url, 20),
            at_least("eu-helicone-", Body::Base64Url, 20),
    ]),
    token("braintrust-key", "a Braintrust API key",
        "Braintrust documentation, API keys", &[
            at_least("bt-st-", Body::Alphanumeric, 40),
            near(&["braintrust"], Body::Base64Url, 51),
    ]),
    token("portkey-key", "a Portkey API key",
        "Portkey documentation", &[
            near(&["portkey"], Body::Alphanumeric, 28),
    ]),
    token("litellm-key", "a LiteLLM virtual key",
        "LiteLLM documentation, virtual keys", &[
            exactly("sk-", Body::Base64Url, 22),
    ]),
    token("wandb-key", "a Weights & Biases API key",
        "Weights & Biases documentation; trufflehog `weightsandbiases`", &[
            at_least("wandb_v1_", Body::Word, 40), near(&["wandb"], Body::LowerHex, 40),
    ]),
    token("comet-key", "a Comet API key",
        "Comet documentation", &[
            near(&["comet"], Body::Alphanumeric, 25),
    ]),
    token("neptune-token", "a Neptune API token",
        "Neptune documentation", &[
            near_between(&["neptune"], Body::Base64, 100, 390),
    ]),
    token("roboflow-key", "a Roboflow API key",
        "Roboflow documentation", &[
            at_least("rf_", Body::Alphanumeric, 20), near(&["roboflow"], Body::Alphanumeric, 20),
    ]),
    token("clarifai-key", "a Clarifai key",
        "Clarifai documentation; trufflehog `clarifai`", &[
            near(&["clarifai"], Body::Alphanumeric, 32),
    ]),
    token("tavily-key", "a Tavily API key",
        "Tavily documentation; GitHub secret scanning", &[
            at_least("tvly-", Body::Base64Url, 20),
    ]),
    token("exa-key", "an Exa API key",
        "Exa documentation", &[
            near(&["exa"], Body::HexDash, 36),
    ]),
    token("serper-key", "a Serper or SerpAPI key",
        "Serper and SerpAPI documentation", &[
            near(&["serper"], Body::LowerHex, 40), near(&["serpapi"], Body::LowerHex, 64),
    ]),
    token("brave-key", "a Brave Search API key",
        "Brave Search API documentation", &[
            between("BSA", Body::Base64Url, 24, 34),
    ]),
    token("firecrawl-key", "a Firecrawl API key",
        "Firecrawl documentation", &[
            exactly("fc-", Body::LowerHex, 32),
    ]),
    token("e2b-key", "an E2B API key",
        "E2B documentation", &[
            exactly("e2b_", Body::LowerHex, 40),
    ]),
    token("modal-token", "a Modal token",
        "Modal documentation", &[
            exactly("as-", Body::Alphanumeric, 22), exactly("ak-", Body::Alphanumeric, 22),
            exactly("wk-", Body::Alphanumeric, 22), exactly("ws-", Body::Alphanumeric, 22),
    ]),
    token("anyscale-key", "an Anyscale API key",
        "Anyscale documentation", &[
            at_least("esecret_", Body::Alphanumeric, 20),
            at_least("aph0_", Body::Alphanumeric, 20),
    ]),
    token("baseten-key", "a Baseten API key",
        "Baseten documentation", &[
            near(&["baseten"], Body::Dotted, 41),
    ]),
    token("fal-key", "a fal API key",
        "fal documentation", &[
            Format::Shape(&[part(Body::Hex, 8, 8), Part::Sign(b'-'), part(Body::Hex, 4, 4), Part::Sign(b'-'), part(Body::Hex, 4, 4), Part::Sign(b'-'), part(Body::Hex, 4, 4), Part::Sign(b'-'), part(Body::Hex, 12, 12), Part::Sign(b':'), part(Body::LowerHex, 32, 32)]),
    ]),
    token("ai21-key", "an AI21, Aleph Alpha or Eden AI key",
        "the providers' documentation", &[
            near(&["ai21"], Body::Alphanumeric, 32),
            near(&["alephalpha"], Body::Alphanumeric, 40),
            near_between(&["edenai"], Body::Dotted, 100, 300),
    ]),
    token("cursor-key", "a Cursor API key",
        "Cursor documentation; GitHub secret scanning", &[
            at_least("crsr_", Body::LowerHex, 40), exactly("key_", Body::LowerHex, 64),
    ]),
    token("windsurf-key", "a Windsurf or Codeium key",
        "Windsurf documentation", &[
            near(&["windsurf", "codeium"], Body::HexDash, 36),
    ]),
    token("composio-key", "a Composio or Smithery key",
        "the providers' documentation", &[
            near_between(&["composio"], Body::LowerNum, 20, 24),
            near(&["smithery"], Body::HexDash, 36),
    ]),
    token("photoroom-key", "a Photoroom API key",
        "Photoroom documentation; trufflehog `photoroom`", &[
            at_least("sk_pr_", Body::Word, 40), at_least("sandbox_sk_pr_", Body::Word, 40),
    ]),
    token("heygen-key", "a HeyGen or Synthesia key",
        "the providers' documentation", &[
            near_between(&["heygen"], Body::Base64, 40, 60),
            near(&["synthesia"], Body::LowerHex, 32),
    ]),
    token("runway-key", "a Runway API key",
        "Runway documentation", &[
            exactly("key_", Body::LowerHex, 128),
    ]),
    token("cartesia-key", "a Cartesia API key",
        "Cartesia documentation", &[
            at_least("sk_car_", Body::Base64Url, 20),
    ]),
    token("vapi-key", "a Vapi or Retell AI key",
        "the providers' documentation", &[
            near(&["vapi"], Body::HexDash, 36), exactly("key_", Body::LowerHex, 28),
    ]),
    token("mem0-key", "a Mem0 API key",
        "Mem0 documentation", &[
            exactly("m0-", Body::Alphanumeric, 40),
    ]),
    token("arize-key", "an Arize API key",
        "Arize documentation", &[
            near_between(&["arize"], Body::Base64Url, 80, 140),
    ]),
    token("voiceflow-key", "a Voiceflow key",
        "Voiceflow documentation; trufflehog `voiceflow`", &[
            at_least("VF.", Body::Dotted, 40),
    ]),
    token("llamacloud-key", "a LlamaCloud API key",
        "LlamaCloud documentation", &[
            at_least("llx-", Body::Alphanumeric, 40),
    ]),
    token("nomic-key", "a Nomic or Unstructured key",
        "the providers' documentation", &[
            exactly("nk-", Body::Base64Url, 43),
            near_between(&["unstructured"], Body::Alphanumeric, 30, 32),
    ]),
];
