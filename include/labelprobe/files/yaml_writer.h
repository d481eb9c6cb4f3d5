// Writes values as YAML blocks the way PyYAML's dumper lays them out: sorted keys, lists at their
// key's indentation. Everything written reads back as the same value under YAML 1.1 and 1.2: a
// string stays plain only where no reader could take it for anything else. Own code because
// yaml-cpp's emitter can neither append to a document nor give these guarantees for floats and
// strings.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace labelprobe::files {

// A value to write whose floats are float32 and are spelled as such (0.1, not
// 0.10000000149011612). Objects are sorted by key; keys and strings are UTF-8.
using JsonF32 = nlohmann::
    basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t, float>;

// A string as a one-line YAML scalar: plain, in single quotes, or in double quotes with escapes.
std::string yaml_string(std::string_view text);

// Appends the entries of `mapping` (an object, at least one entry) to *out, each line indented by
// `indent` spaces. Lists of integers stand on one line.
template <class Json>
void append_yaml_entries(std::string* out, const Json& mapping, int indent);

extern template void append_yaml_entries(std::string*, const nlohmann::json&, int);
extern template void append_yaml_entries(std::string*, const JsonF32&, int);

}  // namespace labelprobe::files
