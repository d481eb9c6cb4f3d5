// YAML read event by event with libyaml, for files whose tree (yaml.h) would be too large. Errors
// name file and line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <yaml.h>

#include "labelprobe/core/error_kind.h"

namespace labelprobe::files {

// Where a YAML text stands, for messages.
struct YamlSource {
  std::string name;  // opens every message, e.g. the file's path
  ErrorKind error = ErrorKind::Data;
  std::size_t first_line = 0;  // of the text within `name`, from 0
};

class YamlEvents {
 public:
  // The text must outlive the events.
  YamlEvents(std::string_view text, YamlSource source);
  ~YamlEvents();
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;

  // Valid until the next call. Throws the error of the source where the text is no YAML.
  const yaml_event_t& next();

  // The event that next() gave last.
  const yaml_event_t& current() const { return event_; }

  // Takes the next event, which has to be of this type.
  void expect(yaml_event_type_t type, const std::string& wanted);

  // The next scalar; nothing at the end of the map.
  std::optional<std::string> next_key(const std::string& wanted);

  // The text of the scalar at hand.
  std::string scalar() const;

  // Line of the event at hand within the source, from 1.
  std::size_t line() const { return source_.first_line + event_.start_mark.line + 1; }

  // Throw the error of the source for the event at hand: "<file>:<line>: expected <wanted>, found
  // ..".
  [[noreturn]] void fail(const std::string& wanted) const;
  [[noreturn]] void fail_again(const std::string& wanted) const;

 private:
  [[noreturn]] void fail(std::size_t line,
                         const std::string& wanted,
                         const std::string& found) const;

  YamlSource source_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

}  // namespace labelprobe::files
