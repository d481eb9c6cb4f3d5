#include "analysis/page/item_data.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdlib>
#include <type_traits>

#include <fmt/format.h>

#include "labelprobe/analysis/validity.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/record/fields.h"

namespace labelprobe::analysis {

namespace {

using record::Field;
using record::LabelStep;
using record::LabelValues;

// Values of readouts and answer words as their log entries spell them, whatever fields these have.
class FieldEncoder {
 public:
  explicit FieldEncoder(LabelLists& lists) : lists_(lists) {}

  template <class Record>
  PageJson encode_fields(const Record& record) {
    PageJson node = PageJson::object();
    visit_fields(record, [&](const Field& field, const auto& value) {
      PageJson encoded = encode(value);
      const bool is_empty =
          encoded.is_null() || ((encoded.is_array() || encoded.is_string()) && encoded.empty());
      if (!is_empty) node[field.log_name ? field.log_name : field.name] = std::move(encoded);
    });
    return node;
  }

 private:
  PageJson encode(const std::string& text) { return text; }
  PageJson encode(std::integral auto number) { return number; }
  PageJson encode(float number) { return page_number(double{number}); }
  PageJson encode(record::Normalisation normalisation) {
    return std::string(record::kNormalisations.name_of(normalisation));
  }
  PageJson encode(record::ReadoutPlace place) {
    return std::string(record::kReadoutPlaces.name_of(place));
  }
  PageJson encode(record::DrawEnd end) { return std::string(record::kDrawEnds.name_of(end)); }
  PageJson encode(const LabelValues& values) {
    return values.empty() ? PageJson() : lists_.encode(values);
  }
  template <class Value>
  PageJson encode(const std::optional<Value>& value) {
    return value ? encode(*value) : PageJson();
  }
  template <class Value>
  PageJson encode(const std::vector<Value>& values) {
    PageJson list = PageJson::array();
    for (const Value& value : values) list.push_back(encode(value));
    return list;
  }
  template <class Record>
  requires std::is_class_v<Record> PageJson encode(const Record& record) {
    return encode_fields(record);
  }

  LabelLists& lists_;
};

PageJson likely_tokens(const std::vector<record::LikelyToken>& tokens,
                       std::optional<float> log_sum_exp) {
  PageJson list = PageJson::array();
  for (const record::LikelyToken& token : tokens) {
    list.push_back({token.text, log_sum_exp
                                    ? page_number(std::exp(double{token.logit} - *log_sum_exp))
                                    : PageJson()});
  }
  return list;
}

PageJson step_data(const LabelStep& step, LabelLists& lists) {
  PageJson node = {{"p", lists.encode(label_probs(step))}};
  if (step.index) node["index"] = *step.index;
  if (step.variant) {
    node["space"] = *step.variant == record::SpaceVariant::Bare ? "bare" : "spaced";
  }
  if (const auto mass = label_mass(step)) node["label_mass"] = page_number(*mass);
  if (!step.likely_tokens.empty()) {
    node["top_tokens"] = likely_tokens(step.likely_tokens, step.log_sum_exp);
  }
  return node;
}

void add_text(const char* name, const std::string& text, PageJson& node) {
  if (!text.empty()) node[name] = text;
}

void add_answer(const record::ItemRecord& item, LabelLists& lists, PageJson& node) {
  node["predicted"] = item.predictions;
  if (item.answer_source != record::AnswerSource::Unknown) {
    node["source"] = std::string(record::kAnswerSources.name_of(item.answer_source));
  }
  add_text("answer", item.outs, node);
  add_text("rest", item.residual_outs, node);
  if (item.prefix_outs) add_text("reasoning", *item.prefix_outs, node);
  if (item.is_cut_off) node["cut_off"] = true;
  node["n_answer_tokens"] = item.outs_ids.size();
  PageJson steps = PageJson::array();
  for (const LabelStep& step : item.label_steps) steps.push_back(step_data(step, lists));
  node["steps"] = std::move(steps);
  if (!item.opening_tokens.empty()) {
    node["opening_tokens"] = likely_tokens(item.opening_tokens, std::nullopt);
  }
}

void add_readings(const record::ItemRecord& item, LabelLists& lists, PageJson& node) {
  FieldEncoder encoder(lists);
  const auto add_words = [&](const char* name, const auto& reading) {
    if (reading) node["words"][name] = encoder.encode_fields(*reading);
  };
  add_words("greedy", item.greedy_answer);
  add_words("first", item.first_answer);
  add_words("healed", item.healed_answer);
  const auto add_stated = [&](const char* name, const LabelValues& values) {
    if (!values.empty()) node["stated"][name] = lists.encode(values);
  };
  add_stated("reported", item.reported_probs);
  add_stated("expected", item.expected_probs);
  add_stated("number_mass", item.number_mass);
  for (const record::ReadoutValues& values : item.readouts) {
    node["readouts"].push_back(encoder.encode_fields(values));
  }
}

// Whole numbers of a part of 1: short, and as many digits as people look at.
PageJson parts_of_one(const std::vector<float>& numbers, float n_parts) {
  PageJson list = PageJson::array();
  for (const float number : numbers) {
    list.push_back(std::isfinite(number) ? PageJson(std::lround(number * n_parts)) : PageJson());
  }
  return list;
}

PageJson thousandths(const std::vector<float>& numbers) {
  return parts_of_one(numbers, 1000.0F);
}

PageJson hundredths(const std::vector<float>& numbers) {
  return parts_of_one(numbers, 100.0F);
}

PageJson seen_part_data(const SeenStep::Part& part) {
  PageJson node = {{"name", part.name}, {"n_tokens", part.n_tokens}};
  if (part.attention) node["attention"] = page_number(double{*part.attention});
  if (part.adds) node["adds"] = page_number(double{*part.adds});
  if (!part.without.empty()) node["without"] = thousandths(part.without);
  return node;
}

// The labels that the item asks about.
std::vector<std::string> asked_labels(const record::ItemRecord& item, const ItemId& id) {
  if (item.form().asks_about_labels()) return id.parts;
  if (item.checked_label.empty()) return {};
  return {item.checked_label};
}

}  // namespace

PageJson page_number(double number) {
  if (!std::isfinite(number)) return nullptr;
  const double rounded = std::strtod(fmt::format("{:.4g}", number).c_str(), nullptr);
  // Whole numbers without ".0".
  if (rounded == std::floor(rounded) && std::abs(rounded) < 1e9) {
    return static_cast<std::int64_t>(rounded);
  }
  return rounded;
}

std::size_t LabelLists::number_of(const std::vector<std::string>& names) {
  auto found = std::find(lists_.begin(), lists_.end(), names);
  if (found == lists_.end()) found = lists_.insert(lists_.end(), names);
  return static_cast<std::size_t>(found - lists_.begin());
}

PageJson LabelLists::encode(const LabelValues& values) {
  std::vector<std::string> names;
  for (const auto& [name, number] : values) names.push_back(name);
  PageJson numbers = PageJson::array({number_of(names)});
  for (const auto& [name, number] : values) numbers.push_back(page_number(double{number}));
  return numbers;
}

PageJson item_data(const record::ItemRecord& item, LabelLists& lists) {
  const ItemId id = ItemId::parse(item.key, item.form());
  PageJson node = {{"id", item.key}, {"example", id.example_id}, {"text", item.query_text}};
  if (const auto asked = asked_labels(item, id); !asked.empty()) node["asked"] = asked;
  if (id.annotator != kAggregate) node["annotator"] = id.annotator;
  node["gold"] = item.gold;
  node["n_prompt_tokens"] = item.n_prompt_tokens;
  if (item.failure) {
    node["failure"] = *item.failure;
    return node;
  }
  add_answer(item, lists, node);
  add_readings(item, lists, node);
  return node;
}

PageJson inside_data(const SeenItem& item, LabelLists& lists) {
  PageJson steps = PageJson::array();
  for (const SeenStep& step : item.steps) {
    PageJson node = {{"labels", lists.number_of(step.labels)}, {"written", step.written}};
    for (const std::vector<float>& layer : step.lens) node["lens"].push_back(thousandths(layer));
    if (!step.ranks.empty()) node["ranks"] = step.ranks;
    node["attention"] = hundredths(step.attention_adds);
    node["mlp"] = hundredths(step.mlp_adds);
    node["parts"] = PageJson::array();
    for (const SeenStep::Part& part : step.parts) node["parts"].push_back(seen_part_data(part));
    steps.push_back(std::move(node));
  }
  return steps;
}

}  // namespace labelprobe::analysis
