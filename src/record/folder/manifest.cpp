#include "record/folder/manifest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/yaml_writer.h"

namespace labelprobe::record {

using nlohmann::json;

namespace {

// Format 1 has neither record versions nor provenance, format 2 no checksum.
constexpr int kManifestFormat = 3;
constexpr int kFirstFormat = 1;

// How a manifest ends: the checksum of all that stands before it.
constexpr std::string_view kManifestChecksum = ",\n \"xxh3\": \"";
constexpr std::string_view kManifestEnd = "\"\n}\n";
constexpr std::size_t kManifestDigits = 32;

constexpr std::array<std::pair<const char*, ExperimentState>, 4> kStates = {{
    {"running", ExperimentState::Running},
    {"writing", ExperimentState::Writing},
    {"finished", ExperimentState::Finished},
    {"replacing", ExperimentState::Replacing},
}};

// A reader of one manifest; every finding names the file.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file) {}

  Manifest read() const {
    const files::MappedFile mapped(file_);
    json root;
    try {
      root = json::parse(mapped.text());
    } catch (const json::exception& error) {
      fail(fmt::format("not JSON ({})", error.what()));
    }
    const int format = format_of(root);
    check_sum(mapped.text(), format);
    Manifest manifest;
    for (const std::string& name : strings(root, "not_comparable")) {
      manifest.not_comparable.insert(name);
    }
    params(root, "params");
    for (const json& entry : field(root, "experiments", json::value_t::array)) {
      manifest.experiments.push_back(experiment(root, entry, manifest.experiments.size()));
    }
    return manifest;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(
        fmt::format("{}: {}; restore the file, or move its folder out of the log folder",
                    file_.string(), what));
  }

  int format_of(const json& root) const {
    for (int format = kFirstFormat; root.is_object() && format <= kManifestFormat; ++format) {
      if (is_number(root, "format", static_cast<std::size_t>(format))) return format;
    }
    fail("expected \"format\": 1, 2 or 3");
  }

  // Whatever single byte is changed: either the end is not as it is written, and the format asks
  // for one, or the checksum is another. Manifests of earlier formats may be without.
  void check_sum(std::string_view text, int format) const {
    constexpr std::size_t kTail = kManifestChecksum.size() + kManifestDigits + kManifestEnd.size();
    const std::string_view tail = text.substr(text.size() - std::min(text.size(), kTail));
    if (!tail.starts_with(kManifestChecksum) || !tail.ends_with(kManifestEnd)) {
      if (format < kManifestFormat) return;
      fail("not as it was written: it does not end with its checksum");
    }
    if (tail.substr(kManifestChecksum.size(), kManifestDigits) !=
        fingerprint(text.substr(0, text.size() - kTail))) {
      fail("not as it was written: its checksum is another");
    }
  }

  static bool is_number(const json& object, const char* name, std::size_t expected) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number_unsigned() && *found == expected;
  }

  const json& field(const json& object, const char* name, json::value_t type) const {
    const auto found = object.find(name);
    if (found == object.end() || found->type() != type) {
      fail(fmt::format("expected a field '{}' of type {}", name, json(type).type_name()));
    }
    return *found;
  }

  std::vector<std::string> strings(const json& object, const char* name) const {
    std::vector<std::string> texts;
    for (const json& element : field(object, name, json::value_t::array)) {
      if (!element.is_string()) {
        fail(fmt::format("expected only strings in '{}'", name));
      }
      texts.push_back(element.get<std::string>());
    }
    return texts;
  }

  const json& params(const json& object, const char* name) const {
    const json& values = field(object, name, json::value_t::object);
    for (const auto& [key, value] : values.items()) {
      const bool is_known =
          value.is_primitive() ||
          (value.is_array() &&
           std::all_of(value.begin(), value.end(), [](const json& e) { return e.is_string(); }));
      if (!is_known) {
        fail(fmt::format("expected a plain value or a list of strings for parameter '{}'", key));
      }
    }
    return values;
  }

  Experiment experiment(const json& root, const json& entry, std::size_t index) const {
    if (!entry.is_object() || !is_number(entry, "index", index)) {
      fail(fmt::format("expected experiment {} in place {} of 'experiments'", index, index));
    }
    Experiment experiment;
    const std::string state = field(entry, "state", json::value_t::string).get<std::string>();
    const auto known = std::find_if(kStates.begin(), kStates.end(),
                                    [&](const auto& s) { return state == s.first; });
    if (known == kStates.end()) {
      fail(fmt::format("unknown state '{}' (known: running, writing, finished, replacing)", state));
    }
    experiment.state = known->second;
    experiment.params = root["params"];
    for (const std::string& name : strings(entry, "params_absent")) {
      experiment.params.erase(name);
    }
    experiment.params.update(params(entry, "params_changed"));
    experiment.contents = contents(root, entry);
    experiment.parts = parts(entry);
    if (entry.contains("n_items")) {
      experiment.n_items =
          field(entry, "n_items", json::value_t::number_unsigned).get<std::size_t>();
    }
    experiment.sizes = sizes(field(entry, "sizes", json::value_t::object));
    if (entry.contains("n_failed")) {
      experiment.n_failed =
          field(entry, "n_failed", json::value_t::number_unsigned).get<std::size_t>();
    }
    experiment.record_version = 1;
    if (entry.contains("record_version")) {
      experiment.record_version =
          field(entry, "record_version", json::value_t::number_unsigned).get<int>();
      for (const json& made : field(entry, "provenance", json::value_t::array)) {
        experiment.provenance.push_back(provenance(made));
      }
    }
    return experiment;
  }

  // Earlier versions have one fingerprint of all contents.
  std::map<std::string, std::string> contents(const json& root, const json& entry) const {
    const auto whole = field(entry, "contents_fingerprint", json::value_t::string);
    if (!entry.contains("contents") && !root.contains("contents")) {
      return {{"version of the program", whole.get<std::string>()}};
    }
    const json& own = entry.contains("contents") ? entry : root;
    std::map<std::string, std::string> contents;
    for (const auto& [name, value] : field(own, "contents", json::value_t::object).items()) {
      if (!value.is_string()) {
        fail("expected only strings in 'contents'");
      }
      contents[name] = value.get<std::string>();
    }
    return contents;
  }

  std::map<std::string, FilePart> parts(const json& entry) const {
    std::map<std::string, FilePart> parts;
    if (!entry.contains("files")) {
      return parts;
    }
    for (const auto& [name, node] : field(entry, "files", json::value_t::object).items()) {
      check_file_name(name, "files");
      if (!node.is_object()) {
        fail(fmt::format("expected an object for '{}' in 'files'", name));
      }
      const auto place = [this, &part_node = node](const char* key) {
        return field(part_node, key, json::value_t::number_unsigned).get<std::uint64_t>();
      };
      FilePart& part =
          parts[name] = {place("begin"), place("end"),
                         field(node, "xxh3", json::value_t::string).get<std::string>()};
      if (part.begin > part.end) {
        fail(fmt::format("expected 'begin' before 'end' of '{}' in 'files'", name));
      }
    }
    return parts;
  }

  Provenance provenance(const json& node) const {
    Provenance made;
    visit_fields(made, [&](const char* name, auto& value) {
      if (node.is_object() && !node.contains(name) && name == std::string_view("generation")) {
        return;  // of an earlier version
      }
      if (!node.is_object() || !node.contains(name)) {
        fail(fmt::format("expected a field '{}' in 'provenance'", name));
      }
      try {
        node[name].get_to(value);
      } catch (const json::exception& error) {
        fail(fmt::format("'{}' in 'provenance': {}", name, error.what()));
      }
    });
    return made;
  }

  // Files are read and cut by these names: only plain ones of YAML files of the folder itself may
  // stand here.
  void check_file_name(const std::string& name, std::string_view list) const {
    if (!name.ends_with(".yml") || name.find_first_of(std::string("/\0", 2)) != std::string::npos) {
      fail(fmt::format("expected names of YAML files in '{}', found '{}'", list, name));
    }
  }

  FileSizes sizes(const json& object) const {
    FileSizes sizes;
    for (const auto& [name, size] : object.items()) {
      check_file_name(name, "sizes");
      if (!size.is_null() && !size.is_number_unsigned()) {
        fail(fmt::format("expected a size in bytes or null for '{}'", name));
      }
      sizes[name] = size.is_null() ? std::nullopt : std::optional(size.get<std::uint64_t>());
    }
    return sizes;
  }

  const std::filesystem::path& file_;
};

json encode_provenance(const std::vector<Provenance>& provenance) {
  json list = json::array();
  for (const Provenance& made : provenance) {
    json& node = list.emplace_back(json::object());
    visit_fields(made, [&](const char* name, const auto& value) { node[name] = value; });
  }
  return list;
}

json encode_parts(const std::map<std::string, FilePart>& parts) {
  json object = json::object();
  for (const auto& [name, part] : parts) {
    object[name] = {{"begin", part.begin}, {"end", part.end}, {"xxh3", part.fingerprint}};
  }
  return object;
}

json encode_sizes(const FileSizes& sizes) {
  json object = json::object();
  for (const auto& [name, size] : sizes) {
    object[name] = size ? json(*size) : json();
  }
  return object;
}

std::string fingerprint_of(const std::map<std::string, std::string>& contents) {
  Fingerprint fingerprint;
  for (const auto& [name, value] : contents) {
    fingerprint.add(name);
    fingerprint.add(value);
  }
  return fingerprint.hex();
}

}  // namespace

Manifest Manifest::load(const std::filesystem::path& file) {
  return Reader(file).read();
}

std::string Manifest::encode() const {
  const json base = experiments.empty() ? json::object() : experiments.front().params;
  const auto base_contents =
      experiments.empty() ? decltype(Experiment::contents)() : experiments.front().contents;
  json root = {{"format", kManifestFormat},
               {"not_comparable", not_comparable},
               {"params", base},
               {"contents", base_contents},
               {"experiments", json::array()}};
  for (const Experiment& experiment : experiments) {
    json changed = json::object();
    for (const auto& [name, value] : experiment.params.items()) {
      if (!base.contains(name) || base[name].dump() != value.dump()) {
        changed[name] = value;
      }
    }
    json absent = json::array();
    for (const auto& [name, value] : base.items()) {
      if (!experiment.params.contains(name)) {
        absent.push_back(name);
      }
    }
    const auto state = std::find_if(kStates.begin(), kStates.end(),
                                    [&](const auto& s) { return s.second == experiment.state; });
    root["experiments"].push_back({{"index", root["experiments"].size()},
                                   {"state", state->first},
                                   {"params_changed", changed},
                                   {"params_absent", absent},
                                   {"contents_fingerprint", fingerprint_of(experiment.contents)},
                                   {"record_version", experiment.record_version},
                                   {"provenance", encode_provenance(experiment.provenance)},
                                   {"sizes", encode_sizes(experiment.sizes)}});
    if (experiment.contents != base_contents) {
      root["experiments"].back()["contents"] = experiment.contents;
    }
    if (experiment.n_items) {
      root["experiments"].back()["n_items"] = *experiment.n_items;
    }
    if (!experiment.parts.empty()) {
      root["experiments"].back()["files"] = encode_parts(experiment.parts);
    }
    if (experiment.n_failed > 0) {
      root["experiments"].back()["n_failed"] = experiment.n_failed;
    }
  }
  std::string text = root.dump(1);
  text.resize(text.size() - std::string_view("\n}").size());
  return fmt::format("{}{}{}{}", text, kManifestChecksum, fingerprint(text), kManifestEnd);
}

}  // namespace labelprobe::record
