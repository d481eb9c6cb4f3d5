#include "data/reading/text_ids_file.h"

#include <optional>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/files/yaml_events.h"

namespace labelprobe::data {

namespace {

TextIds read_split(files::YamlEvents& events) {
  TextIds texts;
  std::unordered_set<std::string> ids;
  events.expect(YAML_MAPPING_START_EVENT, "a map text -> id");
  while (std::optional<std::string> text = events.next_key("a text")) {
    if (texts.contains(*text)) {
      events.fail_again("every text once in a split");
    }
    events.expect(YAML_SCALAR_EVENT, "an id");
    if (!ids.insert(events.scalar()).second) {
      events.fail_again("every id once in a split");
    }
    if (events.scalar().empty()) {
      events.fail("an id");
    }
    texts.emplace(std::move(*text), events.scalar());
  }
  return texts;
}

}  // namespace

std::vector<TextIds> read_text_ids(const std::filesystem::path& path,
                                   std::span<const std::string> splits) {
  const files::MappedFile file = files::open_file(path, "a map split -> text -> id");
  files::check_utf8(file);
  if (file.text().empty()) {
    throw DataError(path.string() + ":1: expected a map split -> text -> id, found an empty file");
  }
  if (!file.text().ends_with('\n')) {
    throw DataError(path.string() +
                    ": expected the last line to end in a line break, found the end of the file; "
                    "it may be cut off: fetch it again, or add the line break if it is complete");
  }
  files::YamlEvents events(file.text(), {path.string()});
  events.expect(YAML_STREAM_START_EVENT, "YAML");
  events.expect(YAML_DOCUMENT_START_EVENT, "a map split -> text -> id");
  events.expect(YAML_MAPPING_START_EVENT, "a map split -> text -> id");
  std::vector<TextIds> texts(splits.size());
  std::set<std::string> seen;
  while (const std::optional<std::string> name = events.next_key("the name of a split")) {
    if (!seen.insert(*name).second) {
      events.fail_again("every split once");
    }
    const TextIds split = read_split(events);
    for (std::size_t i = 0; i < splits.size(); ++i) {
      if (splits[i] == *name) {
        texts[i] = split;
      }
    }
  }
  events.expect(YAML_DOCUMENT_END_EVENT, "one document");
  events.expect(YAML_STREAM_END_EVENT, "one document");
  for (const std::string& split : splits) {
    if (!seen.contains(split)) {
      throw DataError(fmt::format("{}: expected a split '{}', found none", path.string(), split));
    }
  }
  return texts;
}

}  // namespace labelprobe::data
