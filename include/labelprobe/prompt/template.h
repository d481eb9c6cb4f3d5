// The texts around the examples: placeholders, defaults, and how a list of labels is written.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/label_format.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::prompt {

// What stands in for templates that are not given.
enum class DefaultTemplates {
  Labelling,  // no system prompt; "Input: {text}", "Label: {label}"
  Published,  // a general safety preamble, which the published runs switch off; text and label bare
};
inline constexpr auto kDefaultTemplates = enum_names<DefaultTemplates>(
    "default prompts",
    {{DefaultTemplates::Labelling, "labelling"}, {DefaultTemplates::Published, "published"}});

// The templates as texts; what a user gives may also name a file, see text_or_file(). Unset is not
// the same as empty: it means the default.
struct TemplateOptions {
  std::optional<std::string> system;       // " " is the empty text
  std::optional<std::string> instruction;  // " " is the empty text
  // Default: user, a line break, assistant, a line break, where one of them is given.
  std::optional<std::string> incontext;
  std::optional<std::string> query;  // default: user if given, else incontext up to the answer
  std::optional<std::string> user;
  std::optional<std::string> assistant;
  DefaultTemplates defaults = DefaultTemplates::Labelling;
  LabelFormat label_format;
  // Pair prompts: pair_words(), in place of the labels in {labels}. Empty for all others.
  std::vector<std::string> pair_words = {};
};

// A literal text, or the whole content of the file of that name if there is one. Throws DataError
// if it cannot be read or is not UTF-8, ConfigError if the text can only mean a file that is not
// there (one word that ends in .txt).
std::string text_or_file(const std::string& text_or_path);

// The templates of a run with all defaults filled in. Placeholders: {labels} in system and
// instruction (replaced here already), {text}, {label}, {cot} in incontext, {text} in query. Pair
// prompts have {r} in incontext, where the answer stands, and {label} in query too. A placeholder
// of another template, or a word in braces that is nearly one, is refused; other braces are literal
// text, but for the query, which takes none.
struct Templates {
  std::string system;
  std::string instruction;
  std::string incontext;
  std::string query;
  LabelFormat label_format;
  std::vector<std::string> pair_words = {};  // as given; empty but for pair prompts
  std::string user = "{text}";               // chats: a demonstration's question
  std::string assistant = "{label}";         // chats: and its answer

  // Throws ConfigError naming the template and the placeholder that is missing or out of place.
  static Templates resolve(const TemplateOptions& options, const LabelSet& label_set);

  bool is_pair() const { return !pair_words.empty(); }

  // The incontext template up to its first placeholder ({text}): its stripped form and itself are
  // the stop strings of a run. Empty if the template begins with a placeholder.
  std::string before_text() const;

  // The text between {cot} and the answer ({label}; {r} in pair prompts), stripped; unset without
  // {cot} before the answer.
  std::optional<std::string> between_cot_and_label() const;
};

// Names in the order given (label-set order) as the format writes them. `none` for an empty list in
// every format but Polysyndeton (there the empty list is the bare word `none` too: the empty string
// is never put into a prompt).
std::string format_labels(std::span<const std::string> names,
                          LabelKind kind,
                          const LabelFormat& format);

// "a, b and c"
std::string enumerate_labels(const LabelSet& label_set);

// A demonstration: label, chain of thought and text put into the incontext template, nothing
// inserted scanned again. Without a chain of thought {cot} stays as it is.
std::string fill_incontext(const Templates& templates,
                           std::string_view text,
                           std::string_view formatted_label,
                           std::optional<std::string_view> cot = std::nullopt);

// The query template with its text.
std::string fill_query(const Templates& templates, std::string_view text);

// The same for pair prompts: a text with a label and the word that says whether it is reasonable.
std::string fill_pair_incontext(const Templates& templates,
                                std::string_view text,
                                std::string_view formatted_label,
                                std::string_view word,
                                std::optional<std::string_view> cot = std::nullopt);
std::string fill_pair_query(const Templates& templates,
                            std::string_view text,
                            std::string_view formatted_label);

// Where a label stands in a filled incontext template: `text` up to the byte `label_begin` is what
// precedes the label name. Used to find the first token of every label, with neutral text in place
// of {text}.
struct LabelPlace {
  std::string text;         // the filled template, stripped on the right
  std::size_t label_begin;  // byte offset of the label's first character
  std::string spelling;     // the label as the format writes it, JSON's escapes included
};

enum class LabelPosition {
  First,  // the label is the only one; `none` as the format writes the empty list
  Later,  // another label precedes it, so that for example a comma and a space stand before it
};

// The filled template for every name (see LabelSet::names_with_none), in order. Empty for Later in
// single-label sets, where no second label is ever written.
std::vector<LabelPlace> label_places(const Templates& templates,
                                     const LabelSet& label_set,
                                     LabelPosition position = LabelPosition::First);

// Pair prompts: the filled incontext template for every word, with neutral text and label, and
// where the word stands.
std::vector<LabelPlace> answer_places(const Templates& templates,
                                      std::span<const std::string> words);

}  // namespace labelprobe::prompt
