"""How a request leaves and an answer comes back.

HTTP clients (transport, over wire), model clients (wrap) and functions (decorator). Only
what is called is imported: ``import sovguard`` loads neither httpx nor openai.
"""
