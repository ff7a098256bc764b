"""What the API server decides: pure functions of requests and objects. Time and dice are arguments."""
