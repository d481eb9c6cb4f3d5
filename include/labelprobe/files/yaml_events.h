// YAML read event by event with libyaml, for files whose tree would be too large or too slow to
// build. Errors name file and line. yaml-cpp is not used for this: it cuts line breaks off the end
// of quoted texts and decodes two of the escapes to bytes that are no UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <yaml.h>

#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

class YamlEvents {
 public:
  // The file must outlive the events.
  explicit YamlEvents(const MappedFile& file);
  ~YamlEvents();
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;

  // Valid until the next call. Throws DataError where the file is no YAML.
  const yaml_event_t& next();

  // Takes the next event, which has to be of this type.
  void expect(yaml_event_type_t type, const std::string& wanted);

  // The next scalar; nothing at the end of the map.
  std::optional<std::string> next_key(const std::string& wanted);

  // The text of the scalar at hand.
  std::string scalar() const;

  // Throw DataError for the event at hand: "<file>:<line>: expected <wanted>, found ..".
  [[noreturn]] void fail(const std::string& wanted) const;
  [[noreturn]] void fail_again(const std::string& wanted) const;

 private:
  [[noreturn]] void fail(std::size_t line,
                         const std::string& wanted,
                         const std::string& found) const;

  std::string path_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

}  // namespace labelprobe::files
