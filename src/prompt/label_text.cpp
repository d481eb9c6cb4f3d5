// How labels are written: lists of names in the label formats, and where in them a name stands.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/prompt/template.h"
#include "labelprobe/python/text.h"

namespace labelprobe::prompt {

namespace {

struct LabelText {
  std::string text;
  std::size_t last_begin = 0;  // byte offset of the first character of the last name
  std::size_t last_end = 0;    // and one past its last
};

// In place of a text. Ends in a letter, as most texts do not join with what follows then.
constexpr std::string_view kNeutralText = "text";

// As Python's json.dumps writes a string: everything outside printable ASCII escaped, unless
// ensure_ascii=False was given.
std::string json_string(const std::string& text, bool has_escapes) {
  if (!is_utf8(text)) {
    throw DataError("label format json: expected UTF-8 names, found other bytes in a name or key");
  }
  return nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/has_escapes);
}

void append_name(LabelText& written, std::string_view name) {
  written.last_begin = written.text.size();
  written.text += name;
  written.last_end = written.text.size();
}

LabelText write_json(std::span<const std::string> names,
                     LabelKind kind,
                     const LabelFormat& format) {
  const bool is_list = kind == LabelKind::MultiLabel;
  LabelText written;
  written.text.append("{")
      .append(json_string(format.json_key, format.has_escapes))
      .append(is_list ? ": [" : ": ");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string quoted = json_string(names[i], format.has_escapes);
    written.text += i > 0 ? ", \"" : "\"";
    append_name(written, std::string_view(quoted).substr(1, quoted.size() - 2));
    written.text += '"';
  }
  written.text += is_list ? "]}" : "}";
  return written;
}

LabelText write_labels(std::span<const std::string> names,
                       LabelKind kind,
                       const LabelFormat& format) {
  const std::string none(kNoneLabel);
  LABELPROBE_CHECK(kind == LabelKind::MultiLabel || names.size() <= 1);
  if (format.kind == LabelFormat::Kind::Json) {
    return write_json(names.empty() ? std::span(&none, 1) : names, kind, format);
  }
  const bool has_articles = format.kind == LabelFormat::Kind::Polysyndeton;
  LabelText written;
  if (names.empty()) {
    append_name(written, none);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    written.text += i == 0 ? "" : has_articles ? " and " : ", ";
    written.text += has_articles ? "the " : "";
    append_name(written, names[i]);
  }
  return written;
}

// Which label precedes does not matter, but it must be another one.
std::vector<std::string> names_at(LabelPosition position,
                                  const std::vector<std::string>& all,
                                  const std::string& name,
                                  bool is_none) {
  if (position == LabelPosition::Later) {
    return {name == all.front() ? all.at(1) : all.front(), name};
  }
  return is_none ? std::vector<std::string>() : std::vector{name};
}

// `text` without trailing whitespace, but never shorter than n_kept bytes.
std::string strip_right(std::string text, std::size_t n_kept) {
  const std::string_view tail = std::string_view(text).substr(n_kept);
  const std::string_view stripped = python::strip(tail);
  const std::size_t n_tail =
      stripped.empty() ? 0
                       : static_cast<std::size_t>(stripped.data() - tail.data()) + stripped.size();
  text.resize(n_kept + n_tail);
  return text;
}

}  // namespace

std::string format_labels(std::span<const std::string> names,
                          LabelKind kind,
                          const LabelFormat& format) {
  return write_labels(names, kind, format).text;
}

std::string enumerate_labels(const LabelSet& label_set) {
  const std::vector<std::string>& names = label_set.names();
  std::string enumerated;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) {
      enumerated += i + 1 < names.size() ? ", " : " and ";
    }
    enumerated += names[i];
  }
  return enumerated;
}

std::vector<LabelPlace> answer_places(const Templates& templates,
                                      std::span<const std::string> words) {
  LABELPROBE_CHECK(templates.is_pair());
  Templates before_word = templates;
  before_word.incontext.resize(
      std::min(templates.incontext.find("{r}"), templates.incontext.size()));
  const auto filled = [](const Templates& of, std::string_view word) {
    return fill_pair_incontext(of, kNeutralText, kNeutralText, word, kNeutralText);
  };
  const std::size_t n_before = filled(before_word, "").size();
  std::vector<LabelPlace> places;
  for (const std::string& word : words) {
    places.push_back(
        {strip_right(filled(templates, word), n_before + word.size()), n_before, word});
  }
  return places;
}

std::vector<LabelPlace> label_places(const Templates& templates,
                                     const LabelSet& label_set,
                                     LabelPosition position) {
  if (position == LabelPosition::Later && !label_set.is_multilabel()) {
    return {};
  }
  Templates before_label = templates;
  before_label.incontext.resize(
      std::min(templates.incontext.find("{label}"), templates.incontext.size()));
  const std::size_t n_before = fill_incontext(before_label, kNeutralText, "", kNeutralText).size();

  const std::vector<std::string> all = label_set.names_with_none();
  std::vector<LabelPlace> places;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_none = i == static_cast<std::size_t>(label_set.size());
    const LabelText written = write_labels(names_at(position, all, all[i], is_none),
                                           label_set.kind(), templates.label_format);
    places.push_back(
        {strip_right(fill_incontext(templates, kNeutralText, written.text, kNeutralText),
                     n_before + written.last_end),
         n_before + written.last_begin,
         written.text.substr(written.last_begin, written.last_end - written.last_begin)});
  }
  return places;
}

}  // namespace labelprobe::prompt
