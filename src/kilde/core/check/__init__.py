"""What is wrong with a commit before it lands: rules over the files of a Tree and the objects they mean; findings with file and line."""
