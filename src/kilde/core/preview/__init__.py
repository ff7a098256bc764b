"""What a plan over many applications is to people and to files: the whole of it in plain values, no secret among them."""
