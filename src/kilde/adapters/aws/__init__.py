"""Identities of AWS, found as its SDKs find them, and what is signed with them."""
