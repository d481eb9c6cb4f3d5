#include "labelprobe/analysis/table.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

Measured measured(const std::string& metric,
                  double value,
                  std::optional<double> standard_error = std::nullopt) {
  for (const Metric& known : metrics()) {
    if (known.name == metric) return {&known, value, standard_error, {}};
  }
  throw std::out_of_range(metric);
}

// Two methods, one that does not apply, and a difference.
AlignmentTable small_table() {
  AlignmentTable table;
  table.task = "GoEmotions";
  table.labels.resize(7);
  table.n_examples_with_votes = 2;
  AlignmentRow first;
  first.method = "Unary";
  first.estimator = "unary";
  first.answer = "first";
  first.run = "logs/a_b & 50%, experiment 0";
  first.alignment.emplace();
  first.alignment->example_ids = {"a", "b"};
  first.alignment->metrics = {measured("nll", 23.9349, 1.0 / 3.0), measured("l1", 1.5, 0.5),
                              measured("f1", 0.5, 0.5), measured("brier", 0.25, 0.125)};
  first.n_items = 16;
  first.n_failed = 1;
  first.n_answers_found = 12;
  first.mean_answer_mass = 0.98765;
  AlignmentRow second = first;
  second.method = "Rate \"A\"";
  second.answer = "";
  second.run = "";
  second.note = "of_train";
  second.n_items.reset();
  second.n_failed.reset();
  second.n_answers_found.reset();
  second.mean_answer_mass.reset();
  second.alignment->metrics[0] = measured("nll", 9.995, 0.0);
  AlignmentRow third;
  third.method = "Max";
  table.rows = {first, second, third};
  AlignmentDifference difference{2, {}};
  for (const Measured& of_row : first.alignment->metrics) {
    const bool is_nll = of_row.metric->name == "nll";
    difference.metrics.push_back(is_nll ? Difference{of_row.metric, -13.94, -20.0, -7.005}
                                        : Difference{of_row.metric, 0.0, 0.0, 0.0});
  }
  table.differences = {{1, 0, difference}};
  table.bootstrap.n_resamples = 100;
  table.warnings = {"a warning"};
  return table;
}

std::string written(TableFormat format, const AlignmentTable& table = small_table()) {
  std::ostringstream out;
  write_table(out, table, format);
  return out.str();
}

TEST_CASE("The line of answered examples stands below its row, in columns of CSV", "[analysis]") {
  AlignmentTable table = small_table();
  table.rows[0].n_without_answer = 1;
  table.rows[0].answered = *table.rows[0].alignment;
  table.rows[0].answered->example_ids = {"a"};
  table.rows[0].answered->metrics[0] = measured("nll", 7.5);
  const std::string text = written(TableFormat::Terminal, table);
  CHECK_THAT(text, ContainsSubstring("Unary     first   (answered)          7.50") &&
                       ContainsSubstring("(answered): without the examples whose answers"));
  const std::string csv = written(TableFormat::Csv, table);
  CHECK_THAT(csv,
             ContainsSubstring(",n_without_answer,answered_nll,") && ContainsSubstring(",1,7.5,"));
  const auto json = nlohmann::json::parse(written(TableFormat::Json, table));
  CHECK(json["rows"][0]["n_without_answer"] == 1);
  CHECK(json["rows"][0]["answered"]["nll"]["value"] == 7.5);
  CHECK(json["rows"][1]["answered"].is_null());
}

TEST_CASE("The terminal's table is aligned and rounded as the paper's", "[analysis]") {
  CHECK(
      written(TableFormat::Terminal) ==
      "GoEmotions: 2 examples with votes, 7 labels (multi-label)\n"
      "\n"
      "method    answer           NLL           L1           F1        Brier  n  items  failed  "
      "found   mass  run\n"
      "Unary     first   23.93 ± 0.33  1.50 ± 0.50  0.50 ± 0.50  0.25 ± 0.12  2     16       1  "
      "75.0%  0.988    1\n"
      "Rate \"A\"  -        9.99 ± 0.00  1.50 ± 0.50  0.50 ± 0.50  0.25 ± 0.12  2      -       -  "
      "    -      -    -\n"
      "Max       -                N/A          N/A          N/A          N/A  -      -       -  "
      "    -      -    -\n"
      "\n"
      "Differences with their 95% intervals (100 paired bootstrap resamples, seed 0)\n"
      "\n"
      "difference                                       NLL                 L1                 F1  "
      "            Brier  n\n"
      "Rate \"A\" minus Unary (first)  -13.94 [-20.00, -7.00]  0.00 [0.00, 0.00]  0.00 [0.00, "
      "0.00]  0.00 [0.00, 0.00]  2\n"
      "\n"
      "mean ± standard error over n examples\n"
      "NLL: negative log-likelihood of the votes in nats, summed over labels\n"
      "L1: distance from the shares of votes, summed over labels\n"
      "F1: example-F1 against the aggregate labels; of a label, over the examples\n"
      "Brier: squared distance from each vote, summed over labels\n"
      "found: share of items whose answer was found; first, healed: whose likeliest token begins "
      "an answer\n"
      "mass: mean probability of the whole vocabulary that the answer words hold there\n"
      "Rate \"A\": of_train\n"
      "run 1: logs/a_b & 50%, experiment 0\n");
}

TEST_CASE("What is known of a run's numbers stands beside its name, and in JSON", "[analysis]") {
  AlignmentTable table = small_table();
  ValidityRow mass;
  mass.name = "label mass at the first label step, mean";
  mass.value = 0.75;
  mass.n = 16;
  mass.brief = "label mass";
  table.validity = {{table.rows[0].run, {mass}}};
  CHECK_THAT(written(TableFormat::Terminal, table),
             ContainsSubstring("run 1: logs/a_b & 50%, experiment 0; label mass 0.75\n"));
  const auto json = nlohmann::json::parse(written(TableFormat::Json, table));
  CHECK(json["validity"][0]["run"] == table.rows[0].run);
  CHECK(json["validity"][0]["rows"][0]["measured"] == mass.name);
  CHECK(json["validity"][0]["rows"][0]["value"] == 0.75);
  CHECK(written(TableFormat::Csv, table) == written(TableFormat::Csv));
}

TEST_CASE("Markdown and LaTeX escape what they would take for marks", "[analysis]") {
  const std::string markdown = written(TableFormat::Markdown);
  CHECK_THAT(markdown, ContainsSubstring("| Unary | first | 23.93 ± 0.33 |"));
  CHECK_THAT(markdown, ContainsSubstring("run 1: logs/a\\_b & 50%"));
  const std::string latex = written(TableFormat::Latex);
  CHECK_THAT(latex, ContainsSubstring("\\begin{tabular}{llrrrrrrrrrr}\n\\hline\n"));
  CHECK_THAT(latex, ContainsSubstring("Unary & first & 23.93 $\\pm$ 0.33 & "));
  CHECK_THAT(latex, ContainsSubstring(" & 75.0\\% & "));
  CHECK_THAT(latex, ContainsSubstring("$-$13.94 [$-$20.00, $-$7.00]"));
  CHECK_THAT(latex, ContainsSubstring("\\end{tabular}\n"));

  AlignmentTable table = small_table();
  table.rows[0].method = "a_b & 5% {x} #1 $ ^ ~ \\ <";
  table.rows[1].method = "[x] a|b *c*";
  CHECK_THAT(written(TableFormat::Latex, table),
             ContainsSubstring("a\\_b \\& 5\\% \\{x\\} \\#1 \\$ \\textasciicircum{} "
                               "\\textasciitilde{} \\textbackslash{} $<$ & first"));
  CHECK_THAT(written(TableFormat::Latex, table), ContainsSubstring("\n{}[x] a|b *c* & "));
  CHECK_THAT(written(TableFormat::Markdown, table), ContainsSubstring("| \\[x\\] a\\|b \\*c\\* |"));
}

TEST_CASE("CSV quotes what has commas or quotes and keeps every digit", "[analysis]") {
  const std::string csv = written(TableFormat::Csv);
  CHECK_THAT(csv, ContainsSubstring("task,method,estimator,answer,run,n_examples,nll,"));
  CHECK_THAT(csv, ContainsSubstring("\nGoEmotions,Unary,unary,first,\"logs/a_b & 50%, experiment "
                                    "0\",2,23.9349,0.3333333333333333,1.5,"));
  CHECK_THAT(csv, ContainsSubstring("\nGoEmotions,\"Rate \"\"A\"\"\",unary,,,2,9.995,0,"));
  CHECK_THAT(csv,
             ContainsSubstring(",Unary (first),-13.94,-20,-7.005,0,0,0,0,0,0,0,0,0,of_train\n"));
}

TEST_CASE("JSON says null for what a row does not have", "[analysis]") {
  AlignmentTable table = small_table();
  table.rows[0].run = "bad \xFF bytes";
  const auto json = nlohmann::json::parse(written(TableFormat::Json, table));
  CHECK(json["rows"][0]["nll"]["standard_error"] == 1.0 / 3.0);
  CHECK(json["rows"][0]["run"] == "bad \xEF\xBF\xBD bytes");
  CHECK(json["rows"][1]["answer"].is_null());
  CHECK(json["rows"][1]["n_items"].is_null());
  CHECK(json["rows"][2]["nll"].is_null());
  CHECK(json["rows"][2]["n_examples"] == 0);
  CHECK(json["differences"][0]["against_method"] == "Unary");
  CHECK(json["differences"][0]["nll"]["high"] == -7.005);
  CHECK(json["warnings"][0] == "a warning");
}

// The small table with its first row's labels, of which the second never occurs.
AlignmentTable table_with_labels() {
  AlignmentTable table = small_table();
  table.labels = {"joy", "fear"};
  Alignment joy;
  joy.example_ids = {"a", "b"};
  joy.metrics = {measured("prevalence", 0.5), measured("nll", 20.0, 0.25), measured("f1", 0.75),
                 measured("auc", 1.0)};
  Alignment fear = joy;
  fear.metrics.back().value.reset();
  table.rows[0].by_label = {joy, fear};
  return table;
}

TEST_CASE("Labels are lines below their row, with what is not defined left out", "[analysis]") {
  const std::string terminal = written(TableFormat::Terminal, table_with_labels());
  CHECK_THAT(
      terminal,
      ContainsSubstring(
          "method    answer  label  prevalence           NLL           L1           F1        Brier"
          "   AUC  n  items  failed  found   mass  run\n"
          "Unary     first   -               -  23.93 ± 0.33  1.50 ± 0.50  0.50 ± 0.50  0.25 ± 0.12"
          "     -  2     16       1  75.0%  0.988    1\n"
          "Unary     first   joy          0.50  20.00 ± 0.25            -         0.75            -"
          "  1.00  2      -       -      -      -    -\n"
          "Unary     first   fear         0.50  20.00 ± 0.25            -         0.75            -"
          "     -  2      -       -      -      -    -\n"));
  CHECK_THAT(terminal, ContainsSubstring("\nAUC: area under"));

  const std::string csv = written(TableFormat::Csv, table_with_labels());
  CHECK_THAT(csv, ContainsSubstring("task,method,estimator,answer,run,label,n_examples,prevalence,"
                                    "mean_share,mean_prob,nll,nll_standard_error,"));
  CHECK_THAT(csv, ContainsSubstring(",fear,2,0.5,,,20,0.25,,,0.75,,,,,,,"));

  const auto json = nlohmann::json::parse(written(TableFormat::Json, table_with_labels()));
  const auto& labels = json["rows"][0]["labels"];
  REQUIRE(labels.size() == 2);
  CHECK(labels[0]["label"] == "joy");
  CHECK(labels[0]["nll"]["standard_error"] == 0.25);
  CHECK(labels[0]["f1"] == nlohmann::json{{"value", 0.75}});
  CHECK(labels[1]["auc"].is_null());
  CHECK_FALSE(json["rows"][1].contains("labels"));
}

TEST_CASE("HTML has the terminal's cells and legend, escaped", "[analysis]") {
  const std::string html = written(TableFormat::Html, table_with_labels());
  CHECK_THAT(html, ContainsSubstring("<figure>\n<figcaption>"));
  CHECK_THAT(html, ContainsSubstring("<td>fear</td><td class=\"number\">0.50</td>"));
  CHECK_THAT(html, ContainsSubstring("<li>AUC: area under"));
  CHECK_THAT(html, ContainsSubstring("</ul>\n</figure>\n"));
}

TEST_CASE("Formats are named, or told by a file's ending", "[analysis]") {
  CHECK(parse_table_format("latex") == TableFormat::Latex);
  CHECK(format_of_file("a/b.md") == TableFormat::Markdown);
  CHECK_THROWS_WITH(parse_table_format("jsn"), ContainsSubstring("did you mean 'json'?"));
  CHECK_THROWS_WITH(format_of_file("a/b"),
                    ContainsSubstring(".txt, .md, .csv, .json, .tex, .html"));
}

}  // namespace
}  // namespace labelprobe::analysis
