"""The controller of ApplicationSets: beside the one of Applications, over the same mirrors, projects and watches."""
