# The list of all rules is the program's business; results must lead into it.
.runs[0] as $run
| if .version == "2.1.0" and (."$schema" | type) == "string" and (.runs | length) == 1
     and $run.tool.driver.name == "waymark-webhook" and ($run.tool.driver.version | type) == "string"
     and all($run.tool.driver.rules[]; .id and .shortDescription.text and .help.text
             and (.defaultConfiguration.level | IN("none", "note", "warning", "error")))
     and all($run.results[]; . as $r | $run.tool.driver.rules[.ruleIndex].id == $r.ruleId)
  then {results: [$run.results[] | del(.ruleIndex)], invocations: $run.invocations}
  else error("this is not the shape of SARIF") end
