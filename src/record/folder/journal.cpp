#include "record/folder/journal.h"

#include <cmath>
#include <limits>

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"

#include "record/disk/disk.h"
#include "record/disk/yaml_writer.h"

namespace labelprobe::record {

namespace {

using NamedFloats = std::vector<std::pair<std::string, float>>;

// JSON has no spelling for these three.
constexpr const char* kNan = "nan";
constexpr const char* kInfinity = "inf";
constexpr const char* kMinusInfinity = "-inf";

JsonF32 encode_float(float number) {
  if (std::isfinite(number)) {
    return number;
  }
  return std::isnan(number) ? kNan : number > 0 ? kInfinity : kMinusInfinity;
}

float decode_float(const JsonF32& node) {
  constexpr float kLimit = std::numeric_limits<float>::infinity();
  if (node.is_string()) {
    const auto& text = node.get_ref<const std::string&>();
    if (text == kNan) return std::numeric_limits<float>::quiet_NaN();
    if (text == kInfinity) return kLimit;
    if (text == kMinusInfinity) return -kLimit;
  }
  if (!node.is_number()) {
    throw DataError(std::string("expected a number, found ") + node.type_name());
  }
  return node.get<float>();
}

JsonF32 encode_floats(const NamedFloats& values) {
  JsonF32 list = JsonF32::array();
  for (const auto& [name, number] : values) {
    list.push_back(JsonF32::array({name, encode_float(number)}));
  }
  return list;
}

NamedFloats decode_floats(const JsonF32& list) {
  NamedFloats values;
  for (const JsonF32& pair : list.get_ref<const JsonF32::array_t&>()) {
    values.emplace_back(pair.at(0).get<std::string>(), decode_float(pair.at(1)));
  }
  return values;
}

template <class Integer>
Integer decode_integer(const JsonF32& node) {
  const auto number = node.is_number_integer() ? node.get<std::int64_t>() : -1;
  if (number < 0 || number > std::numeric_limits<Integer>::max()) {
    throw DataError("expected an integer from 0 to " +
                    std::to_string(std::numeric_limits<Integer>::max()));
  }
  return static_cast<Integer>(number);
}

template <class T>
std::optional<T> decode_optional(const JsonF32& node) {
  return node.is_null() ? std::nullopt : std::optional<T>(node.get<T>());
}

// Fields that few items have stand only in those: journals from before there were any load too.
struct AnswerField {
  const char* name;
  std::optional<AnswerReading> ItemRecord::*field;
};

constexpr AnswerField kAnswerFields[] = {
    {"greedy_answer", &ItemRecord::greedy_answer},
    {"first_answer", &ItemRecord::first_answer},
    {"healed_answer", &ItemRecord::healed_answer},
};
constexpr const char* kCheckedLabel = "checked_label";

void encode_rare_fields(const ItemRecord& item, JsonF32& node) {
  for (const AnswerField& answer : kAnswerFields) {
    if (const auto& reading = item.*answer.field) {
      node[answer.name] = {{"bare", encode_floats(reading->bare_probs)},
                           {"spaced", encode_floats(reading->spaced_probs)},
                           {"is_top", reading->is_top}};
    }
  }
  if (!item.checked_label.empty()) {
    node[kCheckedLabel] = item.checked_label;
  }
}

void decode_rare_fields(const JsonF32& node, ItemRecord& item) {
  for (const AnswerField& answer : kAnswerFields) {
    if (const auto found = node.find(answer.name); found != node.end()) {
      item.*answer.field =
          AnswerReading{decode_floats(found->at("bare")), decode_floats(found->at("spaced")),
                        found->at("is_top").get<bool>()};
    }
  }
  if (const auto found = node.find(kCheckedLabel); found != node.end()) {
    item.checked_label = found->get<std::string>();
  }
}

JsonF32 to_json(const ItemRecord& item) {
  JsonF32 steps = JsonF32::array();
  for (const LabelValues& step : item.all_scores) {
    steps.push_back(encode_floats(step));
  }
  JsonF32 node = {{"key", item.key},
                  {"annotator", item.annotator},
                  {"kind", item.kind == LabelKind::MultiLabel ? "multi" : "single"},
                  {"query_text", item.query_text},
                  {"gold", item.gold},
                  {"predictions", item.predictions},
                  {"all_scores", steps},
                  {"scores", encode_floats(item.scores)},
                  {"is_label_found", item.is_label_found},
                  {"label_logits", encode_floats(item.label_logits)},
                  {"outs", item.outs},
                  {"residual_outs", item.residual_outs},
                  {"prefix_outs", item.prefix_outs ? JsonF32(*item.prefix_outs) : JsonF32()},
                  {"outs_ids", item.outs_ids},
                  {"outs_id_index", item.outs_id_index},
                  {"top_tokens", encode_floats(item.top_tokens)},
                  {"n_prompt_tokens", item.n_prompt_tokens},
                  {"prompt_fingerprint", item.prompt_fingerprint},
                  {"failure", item.failure ? JsonF32(*item.failure) : JsonF32()}};
  encode_rare_fields(item, node);
  return node;
}

ItemRecord from_json(const JsonF32& node) {
  ItemRecord item;
  item.key = node.at("key").get<std::string>();
  item.annotator = node.at("annotator").get<std::string>();
  const auto kind = node.at("kind").get<std::string>();
  if (kind != "multi" && kind != "single") {
    throw DataError("expected kind 'multi' or 'single', found '" + kind + "'");
  }
  item.kind = kind == "multi" ? LabelKind::MultiLabel : LabelKind::SingleLabel;
  item.query_text = node.at("query_text").get<std::string>();
  item.gold = node.at("gold").get<std::vector<std::string>>();
  item.predictions = node.at("predictions").get<std::vector<std::string>>();
  for (const JsonF32& step : node.at("all_scores").get_ref<const JsonF32::array_t&>()) {
    item.all_scores.push_back(decode_floats(step));
  }
  item.scores = decode_floats(node.at("scores"));
  item.is_label_found = node.at("is_label_found").get<bool>();
  item.label_logits = decode_floats(node.at("label_logits"));
  item.outs = node.at("outs").get<std::string>();
  item.residual_outs = node.at("residual_outs").get<std::string>();
  item.prefix_outs = decode_optional<std::string>(node.at("prefix_outs"));
  for (const JsonF32& id : node.at("outs_ids").get_ref<const JsonF32::array_t&>()) {
    item.outs_ids.push_back(decode_integer<TokenId>(id));
  }
  item.outs_id_index = decode_integer<std::int64_t>(node.at("outs_id_index"));
  item.top_tokens = decode_floats(node.at("top_tokens"));
  item.n_prompt_tokens = decode_integer<std::int64_t>(node.at("n_prompt_tokens"));
  item.prompt_fingerprint = node.at("prompt_fingerprint").get<std::string>();
  item.failure = decode_optional<std::string>(node.at("failure"));
  decode_rare_fields(node, item);
  return item;
}

}  // namespace

std::string encode_item(const ItemRecord& item) {
  const JsonF32 node = to_json(item);
  try {
    return node.dump() + "\n";
  } catch (const JsonF32::type_error&) {
    for (const auto& [field, value] : node.items()) {
      try {
        value.dump();
      } catch (const JsonF32::type_error&) {
        throw InternalError("record of item '" + item.key + "': field '" + field +
                            "' is not UTF-8");
      }
    }
    throw;
  }
}

ItemRecord decode_item(std::string_view line, const std::string& place) {
  try {
    return from_json(JsonF32::parse(line));
  } catch (const JsonF32::exception& error) {
    throw DataError(place + ": not a record of a finished item (" + error.what() + ")");
  } catch (const DataError& error) {
    throw DataError(place + ": not a record of a finished item (" + error.what() + ")");
  }
}

Journal load_journal(const std::filesystem::path& file) {
  Journal journal;
  if (!size_of(file)) {
    return journal;
  }
  const files::MappedFile mapped(file);
  const std::string_view text = mapped.text();
  std::size_t line_number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', journal.n_whole_bytes)) {
    const std::string_view line = text.substr(journal.n_whole_bytes, end - journal.n_whole_bytes);
    const std::string place = file.string() + ":" + std::to_string(++line_number);
    ItemRecord item = decode_item(line, place);
    journal.items.insert_or_assign(item.key, std::move(item));
    journal.n_whole_bytes = end + 1;
  }
  journal.n_torn_bytes = text.size() - journal.n_whole_bytes;
  return journal;
}

}  // namespace labelprobe::record
