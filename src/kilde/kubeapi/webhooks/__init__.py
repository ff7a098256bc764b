"""Admission webhooks: who is asked, what is sent, what an answer means; `calling` alone talks to the network.

Writes are synchronous, so nothing comes between reading and writing. A write that needs an answer it has not got raises `Waits`;
`settled` asks and runs the write anew, until it needs to ask no more.
"""
