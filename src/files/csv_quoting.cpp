#include "files/csv_quoting.h"

namespace labelprobe::files {

namespace {

enum class Place { FieldStart, PlainField, QuotedField, AfterClosingQuote, ContinuedField };

constexpr char kQuote = '"';

// Follows the fields byte by byte.
class Follower {
 public:
  explicit Follower(char delimiter) : delimiter_(delimiter) {}

  Place place() const { return place_; }

  void take(char byte) {
    const bool ends_field = byte == delimiter_ || byte == '\n' || byte == '\r';
    switch (place_) {
      case Place::FieldStart:
        place_ = byte == kQuote ? Place::QuotedField
                 : ends_field   ? Place::FieldStart
                                : Place::PlainField;
        return;
      case Place::PlainField:
      case Place::ContinuedField:
        place_ = ends_field ? Place::FieldStart : place_;
        return;
      case Place::QuotedField:
        place_ = byte == kQuote ? Place::AfterClosingQuote : place_;
        return;
      case Place::AfterClosingQuote:
        place_ = byte == kQuote ? Place::QuotedField
                 : ends_field   ? Place::FieldStart
                                : Place::ContinuedField;
        return;
    }
  }

 private:
  char delimiter_;
  Place place_ = Place::FieldStart;
};

bool has_continued_field(std::string_view text, char delimiter) {
  if (text.find(kQuote) == std::string_view::npos) {
    return false;
  }
  Follower follower(delimiter);
  for (const char byte : text) {
    follower.take(byte);
    if (follower.place() == Place::ContinuedField) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string_view well_quoted(std::string_view text, char delimiter, std::string& repaired) {
  if (!has_continued_field(text, delimiter)) {
    return text;
  }
  Follower follower(delimiter);
  for (const char byte : text) {
    const Place before = follower.place();
    follower.take(byte);
    const Place now = follower.place();
    if (now == Place::ContinuedField) {
      if (before == Place::AfterClosingQuote) {
        repaired.pop_back();  // the closing quote moves to the end of the field
      }
      repaired.append(byte == kQuote ? 2 : 1, byte);
      continue;
    }
    if (before == Place::ContinuedField) {
      repaired += kQuote;
    }
    repaired += byte;
  }
  if (follower.place() == Place::ContinuedField) {
    repaired += kQuote;
  }
  return repaired;
}

std::optional<QuotedField> find_swallowing_field(std::string_view text, char delimiter) {
  if (text.find(kQuote) == std::string_view::npos) {
    return std::nullopt;
  }
  Follower follower(delimiter);
  QuotedField field;
  bool has_delimiter = false;
  bool has_line_break = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const Place before = follower.place();
    follower.take(text[at]);
    const Place now = follower.place();
    if (before == Place::FieldStart && now == Place::QuotedField) {
      field.begin = at;
      has_delimiter = has_line_break = false;
    } else if (now == Place::QuotedField) {
      has_delimiter = has_delimiter || text[at] == delimiter;
      has_line_break = has_line_break || text[at] == '\n';
    } else if (now == Place::AfterClosingQuote) {
      field.end = at;
    }
    const bool is_over = before == Place::AfterClosingQuote && now != Place::QuotedField;
    const bool goes_on = now == Place::ContinuedField;
    if (is_over && has_delimiter && has_line_break && (delimiter == '\t' || goes_on)) {
      return field;
    }
  }
  return std::nullopt;
}

}  // namespace labelprobe::files
