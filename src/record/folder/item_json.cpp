#include "record/folder/item_json.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/record/fields.h"

namespace labelprobe::record {

namespace {

// JSON has no spelling for these three.
constexpr const char* kNan = "nan";
constexpr const char* kInfinity = "inf";
constexpr const char* kMinusInfinity = "-inf";

constexpr const char* kMultiLabel = "multi";
constexpr const char* kSingleLabel = "single";
constexpr const char* kBare = "bare";
constexpr const char* kSpaced = "spaced";

// --- Values as JSON; encode() and decode() of a type stand in the same order. ---

files::JsonF32 encode(const std::string& text) {
  return text;
}

files::JsonF32 encode(bool is_true) {
  return is_true;
}

files::JsonF32 encode(std::int64_t number) {
  return number;
}

files::JsonF32 encode(TokenId id) {
  return id;
}

files::JsonF32 encode(float number) {
  if (std::isfinite(number)) {
    return number;
  }
  return std::isnan(number) ? kNan : number > 0 ? kInfinity : kMinusInfinity;
}

files::JsonF32 encode(LabelKind kind) {
  return kind == LabelKind::MultiLabel ? kMultiLabel : kSingleLabel;
}

files::JsonF32 encode(AnswerSource source) {
  return std::string(kAnswerSources.name_of(source));
}

files::JsonF32 encode(Normalisation normalisation) {
  return std::string(kNormalisations.name_of(normalisation));
}

files::JsonF32 encode(ReadoutPlace place) {
  return std::string(kReadoutPlaces.name_of(place));
}

files::JsonF32 encode(DrawEnd end) {
  return std::string(kDrawEnds.name_of(end));
}

files::JsonF32 encode(SpaceVariant variant) {
  return variant == SpaceVariant::Bare ? kBare : kSpaced;
}

files::JsonF32 encode(const std::pair<std::string, float>& value) {
  return files::JsonF32::array({value.first, encode(value.second)});
}

files::JsonF32 encode(const LikelyToken& token) {
  return files::JsonF32::array({token.text, encode(token.logit)});
}

files::JsonF32 encode(const AttentionShare& share) {
  return files::JsonF32::array({encode(share.weight), share.n_positions});
}

template <class Record>
files::JsonF32 encode_fields(const Record& record);

files::JsonF32 encode(const LabelAttention& attention) {
  return encode_fields(attention);
}

files::JsonF32 encode(const LabelStep& step) {
  return encode_fields(step);
}

files::JsonF32 encode(const AnswerReading& reading) {
  return encode_fields(reading);
}

files::JsonF32 encode(const ReadoutValues& values) {
  return encode_fields(values);
}

files::JsonF32 encode(const SetProbability& set) {
  return encode_fields(set);
}

files::JsonF32 encode(const SlotValues& slot) {
  return encode_fields(slot);
}

files::JsonF32 encode(const DrawnAnswer& drawn) {
  return encode_fields(drawn);
}

template <class Value>
files::JsonF32 encode(const std::optional<Value>& value) {
  return value ? encode(*value) : files::JsonF32();
}

template <class Value>
files::JsonF32 encode(const std::vector<Value>& values) {
  files::JsonF32 list = files::JsonF32::array();
  for (const Value& value : values) {
    list.push_back(encode(value));
  }
  return list;
}

template <class Value>
bool is_empty(const Value& value) {
  if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else if constexpr (requires { value.has_value(); }) {
    return !value.has_value();
  } else {
    return false;
  }
}

template <class Record>
files::JsonF32 encode_fields(const Record& record) {
  files::JsonF32 node = files::JsonF32::object();
  visit_fields(record, [&](const Field& field, const auto& value) {
    if (!is_empty(value)) {
      node[field.name] = encode(value);
    }
  });
  return node;
}

void decode(const files::JsonF32& node, std::string& text) {
  text = node.get<std::string>();
}

void decode(const files::JsonF32& node, bool& is_true) {
  is_true = node.get<bool>();
}

// Numbers of tokens, places and ids; none is below 0.
template <std::signed_integral Integer>
void decode(const files::JsonF32& node, Integer& number) {
  const auto found = node.is_number_integer() ? node.get<std::int64_t>() : -1;
  if (found < 0 || found > std::numeric_limits<Integer>::max()) {
    throw DataError(
        fmt::format("expected an integer from 0 to {}", std::numeric_limits<Integer>::max()));
  }
  number = static_cast<Integer>(found);
}

void decode(const files::JsonF32& node, float& number) {
  constexpr float kLimit = std::numeric_limits<float>::infinity();
  if (node == kNan) {
    number = std::numeric_limits<float>::quiet_NaN();
  } else if (node == kInfinity || node == kMinusInfinity) {
    number = node == kInfinity ? kLimit : -kLimit;
  } else if (node.is_number()) {
    number = node.get<float>();
  } else {
    throw DataError(fmt::format("expected a number, found {}", node.type_name()));
  }
}

// True for `yes`, false for `no`.
bool is_first(const files::JsonF32& node, const char* yes, const char* no) {
  if (node != yes && node != no) {
    throw DataError(fmt::format("expected '{}' or '{}'", yes, no));
  }
  return node == yes;
}

void decode(const files::JsonF32& node, LabelKind& kind) {
  kind = is_first(node, kMultiLabel, kSingleLabel) ? LabelKind::MultiLabel : LabelKind::SingleLabel;
}

void decode(const files::JsonF32& node, AnswerSource& source) {
  const auto found = kAnswerSources.find(node.get<std::string>());
  if (!found) throw DataError("expected an answer source");
  source = *found;
}

void decode(const files::JsonF32& node, Normalisation& normalisation) {
  const auto found = kNormalisations.find(node.get<std::string>());
  if (!found) throw DataError("expected a normalisation");
  normalisation = *found;
}

void decode(const files::JsonF32& node, ReadoutPlace& place) {
  const auto found = kReadoutPlaces.find(node.get<std::string>());
  if (!found) throw DataError("expected the place of a readout");
  place = *found;
}

void decode(const files::JsonF32& node, DrawEnd& end) {
  const auto found = kDrawEnds.find(node.get<std::string>());
  if (!found) throw DataError("expected the end of a drawn answer");
  end = *found;
}

void decode(const files::JsonF32& node, SpaceVariant& variant) {
  variant = is_first(node, kBare, kSpaced) ? SpaceVariant::Bare : SpaceVariant::Spaced;
}

void decode(const files::JsonF32& node, std::pair<std::string, float>& value) {
  decode(node.at(0), value.first);
  decode(node.at(1), value.second);
}

void decode(const files::JsonF32& node, LikelyToken& token) {
  decode(node.at(0), token.text);
  decode(node.at(1), token.logit);
}

void decode(const files::JsonF32& node, AttentionShare& share) {
  decode(node.at(0), share.weight);
  decode(node.at(1), share.n_positions);
}

template <class Record>
void decode_fields(const files::JsonF32& node, Record& record);

void decode(const files::JsonF32& node, LabelAttention& attention) {
  decode_fields(node, attention);
}

void decode(const files::JsonF32& node, LabelStep& step) {
  decode_fields(node, step);
}

void decode(const files::JsonF32& node, AnswerReading& reading) {
  decode_fields(node, reading);
}

void decode(const files::JsonF32& node, ReadoutValues& values) {
  decode_fields(node, values);
}

void decode(const files::JsonF32& node, SetProbability& set) {
  decode_fields(node, set);
}

void decode(const files::JsonF32& node, SlotValues& slot) {
  decode_fields(node, slot);
}

void decode(const files::JsonF32& node, DrawnAnswer& drawn) {
  decode_fields(node, drawn);
}

template <class Value>
void decode(const files::JsonF32& node, std::optional<Value>& value) {
  decode(node, value.emplace());
}

template <class Value>
void decode(const files::JsonF32& node, std::vector<Value>& values) {
  for (const files::JsonF32& element : node.get_ref<const files::JsonF32::array_t&>()) {
    decode(element, values.emplace_back());
  }
}

template <class Record>
void decode_fields(const files::JsonF32& node, Record& record) {
  const auto& object = node.get_ref<const files::JsonF32::object_t&>();
  std::size_t n_known = 0;
  visit_fields(record, [&](const Field& field, auto& value) {
    if (const auto found = object.find(field.name); found != object.end()) {
      decode(found->second, value);
      ++n_known;
    }
  });
  if (n_known != object.size()) {
    throw DataError("expected known fields only");
  }
}

}  // namespace

files::JsonF32 to_json(const ItemRecord& item) {
  return encode_fields(item);
}

std::string fingerprint_of(const ItemRecord& item) {
  // Texts that are no UTF-8 are refused when the item is written.
  return fingerprint(to_json(item).dump(-1, ' ', false, files::JsonF32::error_handler_t::replace));
}

ItemRecord from_json(const files::JsonF32& node) {
  ItemRecord item;
  decode_fields(node, item);
  if (item.key.empty()) {
    throw DataError("expected a field 'key'");
  }
  return item;
}

}  // namespace labelprobe::record
