#include "labelprobe/prompt/template.h"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::prompt {
namespace {

using Names = std::vector<std::string>;

const LabelSet kEmotions({"joy", "optimism", "admiration", "surprise", "fear", "sadness", "anger"},
                         LabelKind::MultiLabel);
const LabelSet kHate({"hate", "normal", "offensive"}, LabelKind::SingleLabel);

TemplateOptions with_incontext(const std::string& incontext, const std::string& format = "") {
  TemplateOptions options;
  options.incontext = incontext;
  options.label_format = LabelFormat::parse(format);
  return options;
}

Templates resolve(const TemplateOptions& options) {
  return Templates::resolve(options, kEmotions);
}

std::string format(const Names& names,
                   const std::string& name,
                   LabelKind kind = LabelKind::MultiLabel) {
  return format_labels(names, kind, LabelFormat::parse(name));
}

TEST_CASE("Templates that are not given have the published defaults", "[template]") {
  TemplateOptions published;
  published.defaults = DefaultTemplates::Published;
  const Templates templates = resolve(published);
  CHECK_THAT(templates.system,
             ContainsSubstring("You are a helpful, respectful and honest assistant."));
  CHECK(templates.system.ends_with("share false information.\n\n"));
  CHECK(templates.instruction ==
        "Classify the following examples as none, one, or many of the following: joy, optimism, "
        "admiration, "
        "surprise, fear, sadness and anger.\n\n");
  CHECK(templates.incontext == "{text}\n{label}\n");
  CHECK(templates.query == "{text}\n");
  CHECK(Templates::resolve({}, kHate).instruction ==
        "Classify the following examples as one of the following: hate, normal and offensive.\n\n");
}

TEST_CASE("Where nothing is given, prompts ask for labels and show where they stand",
          "[template]") {
  const Templates many = resolve({});
  CHECK(many.system.empty());
  CHECK(many.instruction.starts_with("Classify the following examples as none, one, or many"));
  CHECK(many.incontext == "Input: {text}\nLabels: {label}\n\n");
  CHECK(many.query == "Input: {text}\nLabels: ");
  CHECK(Templates::resolve({}, kHate).incontext == "Input: {text}\nLabel: {label}\n\n");
  TemplateOptions half;
  half.user = "Q: {text}";
  CHECK(resolve(half).incontext == "Q: {text}\n{label}\n");
}

TEST_CASE("A placeholder out of place, or nearly one, is refused in every template", "[template]") {
  const auto refuses = [](auto set, const std::string& text, const std::string& found) {
    TemplateOptions options;
    options.incontext = "{text} {label}";
    set(options) = text;
    INFO(text);
    CHECK_THROWS_WITH(resolve(options), ContainsSubstring(found));
  };
  const auto system = [](TemplateOptions & o) -> auto& {
    return o.system;
  };
  const auto instruction = [](TemplateOptions & o) -> auto& {
    return o.instruction;
  };
  const auto incontext = [](TemplateOptions & o) -> auto& {
    return o.incontext;
  };
  refuses(instruction, "One of {lables}.",
          "instruction template: expected no placeholder but {labels}, found '{lables}'; did you "
          "mean '{labels}'?");
  refuses(system, "One of {Labels}.", "system template: expected no placeholder but {labels}");
  refuses(instruction, "About {text}", "found '{text}'");
  refuses(incontext, "{labels}: {text} {label}", "found '{labels}'");
  refuses(incontext, "{text} {label} {r}", "found '{r}'");
  TemplateOptions braces;
  braces.instruction = "Answer {\"label\": ...} as \\textbf{one} of {labels}.\n";
  braces.incontext = "{text} {label} {joy}\n";
  CHECK(resolve(braces).incontext == "{text} {label} {joy}\n");
}

TEST_CASE("One space stands for an empty system or instruction text, the empty text for itself",
          "[template]") {
  TemplateOptions options;
  options.system = std::string(" ");
  options.instruction = std::string(" ");
  CHECK(resolve(options).system.empty());
  CHECK(resolve(options).instruction.empty());
  options.system = std::string("");
  options.instruction = std::string("  ");
  CHECK(resolve(options).system.empty());
  CHECK(resolve(options).instruction == "  ");
}

TEST_CASE("User and assistant make the incontext template, each with its default", "[template]") {
  TemplateOptions options;
  options.user = std::string("User: {text}");
  CHECK(resolve(options).incontext == "User: {text}\n{label}\n");
  CHECK(resolve(options).query == "User: {text}");
  options.assistant = std::string("Me: {label}.");
  CHECK(resolve(options).incontext == "User: {text}\nMe: {label}.\n");
  options.user.reset();
  CHECK(resolve(options).incontext == "{text}\nMe: {label}.\n");
  CHECK(resolve(options).query == "{text}");
  options.incontext = std::string("I: {text} {label}");
  options.query = std::string("Q: {text}");
  CHECK(resolve(options).incontext == "I: {text} {label}");
  CHECK(resolve(options).query == "Q: {text}");
}

TEST_CASE("The query is the incontext template up to the answer", "[template]") {
  CHECK(resolve(with_incontext("Q: {text}\nA: {label}.\n")).query == "Q: {text}\nA: ");
  CHECK(resolve(with_incontext("Q: {text}\nWhy: {cot}\nA: {label}")).query == "Q: {text}\nWhy: ");
  CHECK(resolve(with_incontext("Q: {text}\nA: {label}\nWhy: {cot}")).query == "Q: {text}\nA: ");
}

TEST_CASE("Finds the stop text and the text between thought and label", "[template]") {
  const Templates plain = resolve(with_incontext("Input: `{text}`\n{label}\n\n"));
  CHECK(plain.before_text() == "Input: `");
  CHECK_FALSE(plain.between_cot_and_label().has_value());
  const Templates thinking = resolve(with_incontext("Q: {text}\nWhy: {cot}\n So: {label}\n"));
  CHECK(thinking.before_text() == "Q: ");
  CHECK(thinking.between_cot_and_label() == "So:");
  CHECK(resolve(with_incontext("{text}\n{label}\n")).before_text().empty());
  TemplateOptions label_first = with_incontext("Is {label}: {text}\n");
  label_first.query = std::string("{text}");
  CHECK(resolve(label_first).before_text() == "Is ");
}

TEST_CASE("Says which placeholder of which template is missing", "[template]") {
  CHECK_THROWS_AS(resolve(with_incontext("no text: {label}")), ConfigError);
  CHECK_THROWS_WITH(
      resolve(with_incontext("{text} only")),
      "incontext template: expected the placeholder {label}, found none in '{text} only'");
  CHECK_THROWS_WITH(resolve(with_incontext("{text} {lable}")),
                    "incontext template: expected no placeholder but {text}, {label}, {cot}, found "
                    "'{lable}'; did you mean '{label}'?");
  CHECK_THROWS_WITH(resolve(with_incontext("{Text} {label}")),
                    "incontext template: expected no placeholder but {text}, {label}, {cot}, found "
                    "'{Text}'; did you mean '{text}'?");
  TemplateOptions options;
  options.assistant = std::string("nothing");
  CHECK_THROWS_WITH(
      resolve(options),
      ContainsSubstring("(made of user and assistant): expected the placeholder {label}"));
  options = with_incontext("{text} {label}");
  options.query = std::string("nothing");
  CHECK_THROWS_WITH(resolve(options),
                    "query template: expected the placeholder {text}, found none in 'nothing'");
  CHECK_THROWS_WITH(resolve(with_incontext("{label}: {text}")),
                    ContainsSubstring("query template (the incontext template up to the answer): "
                                      "expected the placeholder {text}"));
}

TEST_CASE("Refuses placeholders in the query that nothing would fill", "[template]") {
  TemplateOptions options = with_incontext("{text} {label}");
  for (const std::string word : {"{label}", "{labels}", "{cot}", "{name}"}) {
    options.query = "{text} " + word;
    CHECK_THROWS_WITH(resolve(options),
                      "query template: expected no placeholder but {text}, found '" + word + "'");
  }
  options.query = std::string("{text} {} {\"label\": [1]} { label } {");
  CHECK(resolve(options).query == *options.query);
  options.query.reset();
  options.user = std::string("{text} {label}");
  CHECK_THROWS_WITH(
      resolve(options),
      ContainsSubstring("user template: expected no placeholder but {text}, found '{label}'"));
}

TEST_CASE("Refuses templates that are not UTF-8", "[template]") {
  CHECK_THROWS_WITH(resolve(with_incontext("{text} \xff {label}")),
                    "incontext template: expected UTF-8 text, found other bytes");
}

TEST_CASE("Fills templates as Python does, scanning nothing it inserted", "[template]") {
  std::ifstream file(support::fixture("prompt/prompts.json"));
  const nlohmann::json fills = nlohmann::json::parse(file).at("fills");
  REQUIRE(fills.size() == 12);
  for (const nlohmann::json& expected : fills) {
    CAPTURE(expected.dump());
    Templates templates;
    templates.incontext = expected.at("template");
    std::optional<std::string> cot;
    if (!expected.at("cot").is_null()) {
      cot = expected.at("cot").get<std::string>();
    }
    CHECK(fill_incontext(templates, expected.at("text").get<std::string>(),
                         expected.at("label").get<std::string>(),
                         cot) == expected.at("filled").get<std::string>());
  }
}

TEST_CASE("Writes labels in every format", "[template]") {
  CHECK(format({"joy", "admiration"}, "default") == "joy, admiration");
  CHECK(format({}, "default") == "none");
  CHECK(format({"hate"}, "default", LabelKind::SingleLabel) == "hate");
  CHECK(format({"joy", "admiration"}, "json") == R"({"label": ["joy", "admiration"]})");
  CHECK(format({}, "json") == R"({"label": ["none"]})");
  CHECK(format({"hate"}, "json-answer", LabelKind::SingleLabel) == R"({"answer": "hate"})");
  CHECK(format({"book", "cup"}, "polysyndeton") == "the book and the cup");
  CHECK(format({"book"}, "polysyndeton") == "the book");
  CHECK(format({}, "polysyndeton") == "none");
  // Python: json.dumps({"ké": ["日", "😀", 'a"\\\n\x7f\x01']})
  CHECK(format({"日", "😀", "a\"\\\n\x7f\x01"}, "json-ké") ==
        R"({"k\u00e9": ["\u65e5", "\ud83d\ude00", "a\"\\\n\u007f\u0001"]})");
  CHECK_THROWS_AS(format({"\xff"}, "json"), DataError);
}

TEST_CASE("Enumerates labels without a comma before the last", "[template]") {
  CHECK(enumerate_labels(kEmotions) ==
        "joy, optimism, admiration, surprise, fear, sadness and anger");
  CHECK(enumerate_labels(LabelSet({"yes", "no"}, LabelKind::SingleLabel)) == "yes and no");
  CHECK(enumerate_labels(LabelSet({"yes"}, LabelKind::MultiLabel)) == "yes");
}

TEST_CASE("A text that names a file is the file's whole content", "[template]") {
  const support::TempFolder folder;
  const std::string path = (folder.path() / "instruction.txt").string();
  std::ofstream(path, std::ios::binary) << "Choose: {labels}.\n\n";
  CHECK(text_or_file(path) == "Choose: {labels}.\n\n");
  std::ofstream(path, std::ios::binary | std::ios::trunc).flush();
  CHECK(text_or_file(path).empty());
  CHECK(text_or_file("Input: {text}\n{label}\n") == "Input: {text}\n{label}\n");
  CHECK(text_or_file("") == "");
  CHECK(text_or_file(" ") == " ");
  CHECK(text_or_file(folder.path().string()) == folder.path().string());
  const std::string long_text(100000, 'x');
  CHECK(text_or_file(long_text) == long_text);
}

TEST_CASE("Says which template file is missing or broken", "[template]") {
  const support::TempFolder folder;
  const std::string path = (folder.path() / "instruction.txt").string();
  CHECK_THROWS_AS(text_or_file(path), ConfigError);
  CHECK_THROWS_WITH(text_or_file(path),
                    path + ": expected a template file, found no file of that name");
  std::ofstream(path, std::ios::binary) << "\xff\xfe";
  CHECK_THROWS_AS(text_or_file(path), DataError);
  CHECK_THROWS_WITH(text_or_file(path), path + ": expected UTF-8 text, found other bytes");
}

// The text before the label and from the label on, with a bar between, for every name.
Names places(const std::string& incontext,
             const std::string& format,
             const LabelSet& set,
             LabelPosition position) {
  Names marked;
  for (const LabelPlace& place :
       label_places(Templates::resolve(with_incontext(incontext, format), set), set, position)) {
    REQUIRE(place.label_begin < place.text.size());
    marked.push_back(place.text.substr(0, place.label_begin));
    marked.back().append("|").append(place.text, place.label_begin);
  }
  return marked;
}

TEST_CASE("Finds the place of every label when it is the first", "[template]") {
  const LabelSet set({"joy", "fear"}, LabelKind::MultiLabel);
  CHECK(places("Input: {text}\n{label}\n", "json", set, LabelPosition::First) ==
        Names{"Input: text\n{\"label\": [\"|joy\"]}", "Input: text\n{\"label\": [\"|fear\"]}",
              "Input: text\n{\"label\": [\"|none\"]}"});
  CHECK(places("`{text}`: {label}\n\n", "default", set, LabelPosition::First) ==
        Names{"`text`: |joy", "`text`: |fear", "`text`: |none"});
  CHECK(places(" {text}? {label}.\n", "polysyndeton", set, LabelPosition::First) ==
        Names{" text? the |joy.", " text? the |fear.", " text? |none."});
  CHECK(places("Question: {text}\nAnswer: {label}\n\n", "default", kHate, LabelPosition::First) ==
        Names{"Question: text\nAnswer: |hate", "Question: text\nAnswer: |normal",
              "Question: text\nAnswer: |offensive"});
  CHECK(places("{text} {label}", "json-a", kHate, LabelPosition::First).front() ==
        "text {\"a\": \"|hate\"}");
}

TEST_CASE("Finds the place of every label when another precedes it", "[template]") {
  const LabelSet set({"joy", "fear"}, LabelKind::MultiLabel);
  CHECK(places("{text}\n{label}\n", "json", set, LabelPosition::Later) ==
        Names{"text\n{\"label\": [\"fear\", \"|joy\"]}", "text\n{\"label\": [\"joy\", \"|fear\"]}",
              "text\n{\"label\": [\"joy\", \"|none\"]}"});
  CHECK(places("{text}\n{label}\n", "default", set, LabelPosition::Later) ==
        Names{"text\nfear, |joy", "text\njoy, |fear", "text\njoy, |none"});
  CHECK(places("{text}\n{label}.\n", "polysyndeton", set, LabelPosition::Later) ==
        Names{"text\nthe fear and the |joy.", "text\nthe joy and the |fear.",
              "text\nthe joy and the |none."});
  CHECK(places("{text}\n{label}\n", "default", kHate, LabelPosition::Later).empty());
  const LabelSet one({"joy"}, LabelKind::MultiLabel);
  CHECK(places("{text} {label}", "default", one, LabelPosition::Later) ==
        Names{"text none, |joy", "text joy, |none"});
}

TEST_CASE("Places say how the format spells the label there", "[template]") {
  const LabelSet set({"Überraschung", "freude"}, LabelKind::MultiLabel);
  const auto spellings = [&](const char* format) {
    TemplateOptions options;
    options.incontext = std::string("{text} {label}\n");
    options.label_format = LabelFormat::parse(format);
    std::vector<std::string> found;
    for (const LabelPlace& place : label_places(Templates::resolve(options, set), set)) {
      CHECK(place.text.substr(place.label_begin).starts_with(place.spelling));
      found.push_back(place.spelling);
    }
    return found;
  };
  // Python's json.dumps, without and with ensure_ascii=False.
  CHECK(spellings("json") == Names{"\\u00dcberraschung", "freude", "none"});
  CHECK(spellings("json-unescaped") == Names{"Überraschung", "freude", "none"});
  CHECK(spellings("default") == Names{"Überraschung", "freude", "none"});
}

TEST_CASE("Finds the first of several places, after a thought, and labels that end in spaces",
          "[template]") {
  const LabelSet set({"é x ", "y"}, LabelKind::MultiLabel);
  CHECK(places("{text} {cot} ({label}) {label} \n", "json", set, LabelPosition::First).front() ==
        "text text ({\"label\": [\"|\\u00e9 x \"]}) {\"label\": [\"\\u00e9 x \"]}");
  CHECK(places("{text} {label} \n", "default", set, LabelPosition::First).front() == "text |é x ");
}

TemplateOptions pair_templates() {
  TemplateOptions options;
  options.pair_words = {"unreasonable", "reasonable"};
  return options;
}

TEST_CASE("Templates of pair prompts enumerate their two words and ask about a label",
          "[template]") {
  TemplateOptions options = pair_templates();
  const Templates defaults = Templates::resolve(options, kHate);
  CHECK(defaults.is_pair());
  CHECK(defaults.instruction.ends_with("Reply only with unreasonable and reasonable.\n\n"));
  CHECK(defaults.incontext == "Input: `{text}`\nLabel: {label}\nAssessment: {r}\n\n");
  CHECK(defaults.query == "Input: `{text}`\nLabel: {label}\nAssessment: ");
  CHECK(defaults.before_text() == "Input: `");

  options.incontext = "T {text} L {label}\nThought: {cot} Reasonable? {r}\n";
  CHECK(Templates::resolve(options, kHate).query == "T {text} L {label}\nThought: ");
  CHECK(Templates::resolve(options, kHate).between_cot_and_label() == "Reasonable?");
  options.incontext = std::nullopt;
  options.user = "U {text} L {label}";
  options.assistant = "{r}!";
  CHECK(Templates::resolve(options, kHate).incontext == "U {text} L {label}\n{r}!\n");
  CHECK(Templates::resolve(options, kHate).query == "U {text} L {label}");
  options.user = "U {text}";
  options.assistant = "L {label} R {r}";
  CHECK(Templates::resolve(options, kHate).query == "U {text}\nL {label} R ");
  options.query = "{label} for {text}?";
  CHECK(fill_pair_query(Templates::resolve(options, kHate), "{label}", "{r}") ==
        "{r} for {label}?");
}

TEST_CASE("Says which placeholder a pair template lacks", "[template]") {
  TemplateOptions options = pair_templates();
  options.incontext = "Input: {text}\nLabel: {label}\n";
  CHECK_THROWS_WITH(Templates::resolve(options, kHate),
                    ContainsSubstring("incontext template: expected the placeholder {r}, found"));
  options.incontext = "Input: {text}\nReasonable? {r}\n";
  CHECK_THROWS_WITH(
      Templates::resolve(options, kHate),
      ContainsSubstring("incontext template: expected the placeholder {label}, found"));
  options.incontext = "Input: {text}\nReasonable? {r} for {label}\n";
  CHECK_THROWS_WITH(Templates::resolve(options, kHate),
                    ContainsSubstring("query template (the incontext template up to the answer): "
                                      "expected the placeholder {label}"));
  options = pair_templates();
  options.query = "Is it? {text}";
  CHECK_THROWS_WITH(Templates::resolve(options, kHate),
                    ContainsSubstring("query template: expected the placeholder {label}"));
  options.query = "{text} {label} {r}";
  CHECK_THROWS_WITH(Templates::resolve(options, kHate),
                    "query template: expected no placeholder but {text}, {label}, found '{r}'");
}

TEST_CASE("Finds the place of the word in a pair template", "[template]") {
  TemplateOptions options = pair_templates();
  options.incontext =
      std::string("Input: {text}\nLabel: {label}\nWhy: {cot}\nReasonable? {r}. \n\n");
  const Templates templates = Templates::resolve(options, kHate);
  Names marked;
  for (LabelPlace& place : answer_places(templates, templates.pair_words)) {
    marked.push_back(place.text.insert(place.label_begin, "|"));
  }
  CHECK(marked == Names{"Input: text\nLabel: text\nWhy: text\nReasonable? |unreasonable.",
                        "Input: text\nLabel: text\nWhy: text\nReasonable? |reasonable."});
}

}  // namespace
}  // namespace labelprobe::prompt
