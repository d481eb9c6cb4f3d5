#include "app/commands/guard_files.h"

#include <algorithm>
#include <concepts>
#include <istream>
#include <type_traits>
#include <unordered_map>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/record/fields.h"

namespace labelprobe::app {

namespace {

using nlohmann::ordered_json;

// Below this the verdict's probability says little.
constexpr double kLowMass = 0.5;

prompt::Role role_of_turn(std::size_t turn) {
  return turn % 2 == 0 ? prompt::Role::User : prompt::Role::Assistant;
}

std::vector<prompt::Message> read_messages(const files::JsonView& messages) {
  std::vector<prompt::Message> read;
  for (const files::JsonView& message : messages.items()) {
    const prompt::Role role = role_of_turn(read.size());
    const std::string& found = message.at("role").string();
    if (found != prompt::role_name(role)) {
      message.at("role").fail_expected(
          fmt::format("'{}', for a user comes first and then user and assistant take turns",
                      prompt::role_name(role)),
          files::shown(found));
    }
    read.push_back({role, message.at("content").string()});
  }
  if (read.empty()) messages.fail_expected("at least one message", "none");
  return read;
}

GuardLine read_guard_line(const files::JsonView& line) {
  if (!line.value().is_object()) {
    line.fail_expected(
        R"(an object like {"id": "a", "messages": [{"role": "user", "content": "..."}]})");
  }
  GuardLine read;
  read.place = line.place();
  read.id = line.at("id").string();
  if (line.has("messages") && line.has("prompt")) {
    line.fail_expected("either messages or prompt", "both");
  }
  if (line.has("prompt")) {
    read.messages.push_back({prompt::Role::User, line.at("prompt").string()});
    if (line.has("response")) {
      read.messages.push_back({prompt::Role::Assistant, line.at("response").string()});
    }
  } else {
    read.messages = read_messages(line.at("messages"));
  }
  if (line.has("labels")) {
    read.labels.emplace();
    for (const files::JsonView& label : line.at("labels").items()) {
      read.labels->push_back(label.string());
    }
  }
  return read;
}

// Floats as people write them, not as the doubles that they are.
double shown(double number) {
  return std::stod(fmt::format("{}", static_cast<float>(number)));
}

// --- Readouts: the fields that the log has, under the journal's names ---

template <class Value>
ordered_json json_of(const Value& value) {
  return value;
}

ordered_json json_of(float number) {
  return shown(number);
}

ordered_json json_of(const std::optional<float>& number) {
  return number ? ordered_json(shown(*number)) : ordered_json();
}

ordered_json json_of(record::Normalisation normalisation) {
  return record::kNormalisations.name_of(normalisation);
}

ordered_json json_of(record::ReadoutPlace place) {
  return record::kReadoutPlaces.name_of(place);
}

ordered_json json_of(record::DrawEnd end) {
  return record::kDrawEnds.name_of(end);
}

ordered_json json_of(const record::LabelValues& values) {
  ordered_json numbers = ordered_json::object();
  for (const auto& [label, number] : values) numbers[label] = shown(number);
  return numbers;
}

template <class Part>
ordered_json fields_json(const Part& part);

template <class Part>
requires(!std::same_as<Part, std::string>) ordered_json json_of(const std::vector<Part>& parts) {
  ordered_json list = ordered_json::array();
  for (const Part& part : parts) list.push_back(fields_json(part));
  return list;
}

template <class Part>
ordered_json fields_json(const Part& part) {
  ordered_json object = ordered_json::object();
  record::visit_fields(part, [&](const record::Field& field, const auto& value) {
    if (field.is_left_out_empty && value == std::decay_t<decltype(value)>{}) return;
    object[field.name] = json_of(value);
  });
  return object;
}

void check_keys(const files::JsonView& object, std::span<const std::string> known) {
  for (const auto& [key, value] : object.members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      object.fail(unknown_choice("key", key, known));
    }
  }
}

}  // namespace

std::vector<GuardLine> read_guard_lines(std::istream& in, const std::string& name) {
  std::vector<GuardLine> lines;
  std::unordered_map<std::string, std::string> place_of;
  files::for_each_json_line(in, name, [&](const files::JsonView& line) {
    lines.push_back(read_guard_line(line));
    const auto [entry, is_new] = place_of.emplace(lines.back().id, line.place());
    if (!is_new) {
      line.fail_expected("a new id", fmt::format("'{}' as in {}", lines.back().id, entry->second));
    }
  });
  return lines;
}

std::vector<prompt::GuardCategory> read_guard_categories(const std::filesystem::path& path,
                                                         std::string_view code_letters) {
  const std::vector<std::string> known = {"name", "code", "description"};
  const files::JsonView list = files::load_json(path, ErrorKind::Config);
  std::vector<prompt::GuardCategory> categories;
  for (const files::JsonView& item : list.items()) {
    if (!item.value().is_object()) item.fail_expected(R"(an object like {"name": "Hate."})");
    check_keys(item, known);
    prompt::GuardCategory& category = categories.emplace_back();
    category.code = item.has("code") ? item.at("code").string()
                                     : fmt::format("{}{}", code_letters, categories.size());
    category.text = item.at("name").string();
    if (item.has("description")) category.text += "\n" + item.at("description").string();
  }
  if (categories.empty()) list.fail_expected("at least one category", "none");
  return categories;
}

std::optional<Labels> gold_of(const GuardLine& line, std::span<const std::string> codes) {
  if (!line.labels) return std::nullopt;
  Labels gold;
  for (const std::string& label : *line.labels) {
    const auto code = std::find(codes.begin(), codes.end(), label);
    if (code == codes.end()) {
      throw DataError(
          fmt::format("{}: key 'labels': {}", line.place,
                      unknown_choice("code", label, std::vector(codes.begin(), codes.end()))));
    }
    gold.push_back(static_cast<LabelIndex>(code - codes.begin()));
  }
  std::sort(gold.begin(), gold.end());
  gold.erase(std::unique(gold.begin(), gold.end()), gold.end());
  return gold;
}

std::string guard_line(const std::string& id,
                       const experiment::GuardTask& task,
                       const experiment::GuardReading& reading) {
  ordered_json line = {{"id", id}};
  if (reading.failure) {
    line["failure"] = *reading.failure;
    return line.dump();
  }
  const prompt::GuardVerdict& verdict = reading.verdict;
  if (verdict.is_unsafe) {
    line["verdict"] = *verdict.is_unsafe ? prompt::kUnsafe : prompt::kSafe;
    line["labels"] = verdict.codes;
  } else {
    line["verdict"] = nullptr;
    line["labels"] = nullptr;
  }
  if (!verdict.unknown.empty()) line["unknown_labels"] = verdict.unknown;
  if (task.settings.is_one_by_one) {
    for (std::size_t k = 0; k < task.codes.size(); ++k) {
      line["answers"][task.codes[k]] = reading.answers[k];
    }
  } else {
    line["answer"] = reading.answers.front();
  }
  line["p_unsafe"] = shown(reading.p_unsafe);
  line["p_unsafe_vocab"] = shown(reading.p_unsafe_vocab);
  line["label_mass"] = shown(reading.label_mass);
  if (reading.label_mass < kLowMass) {
    line["note"] = fmt::format(
        "safe and unsafe together have probability {:.2g} where the verdict is expected: the "
        "model may be no guard, or one of another --guard",
        reading.label_mass);
  }
  line["readouts"] = ordered_json::array();
  for (const record::ReadoutValues& values : reading.readouts) {
    line["readouts"].push_back(fields_json(values));
  }
  // A guard of random weights may write half a character.
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace labelprobe::app
