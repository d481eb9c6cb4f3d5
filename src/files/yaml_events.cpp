#include "labelprobe/files/yaml_events.h"

#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"

namespace labelprobe::files {

YamlEvents::YamlEvents(std::string_view text, YamlSource source) : source_(std::move(source)) {
  if (yaml_parser_initialize(&parser_) == 0) {
    throw InternalError("libyaml cannot be initialised");
  }
  const char* begin = text.empty() ? "" : text.data();  // libyaml takes no null pointer
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(begin),
                               text.size());
}

YamlEvents::~YamlEvents() {
  yaml_event_delete(&event_);
  yaml_parser_delete(&parser_);
}

const yaml_event_t& YamlEvents::next() {
  yaml_event_delete(&event_);
  if (yaml_parser_parse(&parser_, &event_) == 0) {
    const std::string problem = parser_.problem == nullptr ? "no memory" : parser_.problem;
    fail(parser_.problem_mark.line, "YAML", "an error: " + problem);
  }
  return event_;
}

void YamlEvents::expect(yaml_event_type_t type, const std::string& wanted) {
  if (next().type != type) {
    fail(wanted);
  }
}

std::optional<std::string> YamlEvents::next_key(const std::string& wanted) {
  const yaml_event_t& event = next();
  if (event.type == YAML_MAPPING_END_EVENT) {
    return std::nullopt;
  }
  if (event.type != YAML_SCALAR_EVENT) {
    fail(wanted);
  }
  return scalar();
}

std::string YamlEvents::scalar() const {
  return {reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length};
}

void YamlEvents::fail(const std::string& wanted) const {
  fail(event_.start_mark.line, wanted,
       event_.type == YAML_SCALAR_EVENT           ? shown(scalar())
       : event_.type == YAML_SEQUENCE_START_EVENT ? "a list"
       : event_.type == YAML_MAPPING_START_EVENT  ? "a map"
       : event_.type == YAML_ALIAS_EVENT          ? "an alias"
       : event_.type == YAML_DOCUMENT_START_EVENT ? "another one"
                                                  : "the end");
}

void YamlEvents::fail_again(const std::string& wanted) const {
  fail(event_.start_mark.line, wanted, shown(scalar()) + " again");
}

void YamlEvents::fail(std::size_t line, const std::string& wanted, const std::string& found) const {
  labelprobe::fail(source_.error, fmt::format("{}:{}: expected {}, found {}", source_.name,
                                              source_.first_line + line + 1, wanted, found));
}

}  // namespace labelprobe::files
