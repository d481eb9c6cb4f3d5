// The texts around the examples: placeholders, defaults, and how a list of labels is written.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/label_format.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::prompt {

// As given by the user: literal texts, or the content of the files they name. Unset is not the same
// as empty.
struct TemplateOptions {
  std::optional<std::string> system;
  std::optional<std::string> instruction;
  std::optional<std::string> incontext;
  std::optional<std::string> query;
  std::optional<std::string> user;
  std::optional<std::string> assistant;
  LabelFormat label_format;
};

// A literal text, or the whole content of the file of that name if there is one. Throws DataError
// if it cannot be read.
std::string text_or_file(const std::string& text_or_path);

// The templates of a run with all defaults filled in. Placeholders: {labels} in system and
// instruction (replaced here already), {text}, {label}, {cot} in incontext, {text} in query.
struct Templates {
  std::string system;
  std::string instruction;
  std::string incontext;
  std::string query;
  LabelFormat label_format;

  // Throws ConfigError naming the template and the placeholder that is missing or unknown.
  static Templates resolve(const TemplateOptions& options, const LabelSet& label_set);

  // The incontext template up to {text}: its stripped form and itself are the stop strings of a
  // run.
  std::string before_text() const;

  // The text between {cot} and {label}, stripped; unset without {cot}.
  std::optional<std::string> between_cot_and_label() const;
};

// Names in label-set order as the format writes them. `none` for an empty list in every format but
// Polysyndeton (there the empty list is the bare word `none` too: the empty string is never put
// into a prompt).
std::string format_labels(std::span<const std::string> names,
                          LabelKind kind,
                          const LabelFormat& format);

// "a, b and c"
std::string enumerate_labels(const LabelSet& label_set);

// A demonstration: label, chain of thought and text put into the incontext template, nothing
// inserted scanned again.
std::string fill_incontext(const Templates& templates,
                           std::string_view text,
                           std::string_view formatted_label,
                           std::optional<std::string_view> cot = std::nullopt);

// Where a label stands in a filled incontext template: `text` up to the byte `label_begin` is what
// precedes the label name. Used to find the first token of every label, with neutral text in place
// of {text}.
struct LabelPlace {
  std::string text;         // the filled template, stripped on the right
  std::size_t label_begin;  // byte offset of the label's first character
};

// The filled template for every name (see LabelSet::names_with_none), in order.
std::vector<LabelPlace> label_places(const Templates& templates, const LabelSet& label_set);

}  // namespace labelprobe::prompt
