"""Where text lives in what a provider is sent and answers: OpenAI Chat Completions (openai_chat)."""
