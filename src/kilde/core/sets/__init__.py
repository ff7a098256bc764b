"""ApplicationSets: generators give parameters, a template makes Applications of them, and what is to be written of those."""
