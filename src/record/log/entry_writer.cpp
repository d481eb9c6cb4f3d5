#include "record/log/entry_writer.h"

#include <optional>
#include <utility>

#include "labelprobe/record/fields.h"

#include "record/log/log_names.h"

namespace labelprobe::record {

namespace {

// Writes fields into a mapping under their log names.
class EntryWriter {
 public:
  explicit EntryWriter(LabelKind kind) : kind_(kind) {}

  template <class Value>
  void operator()(const Field& field, const Value& value) {
    if (!field.log_name || (field.is_left_out_empty && value == Value{})) {
      return;
    }
    files::JsonF32& node = entry_[field.log_name];
    (field.log_part ? node[field.log_part] : node) = encode(value);
  }

  files::JsonF32 take() { return std::move(entry_); }

  files::JsonF32 encode(const LabelValues& values) const {
    files::JsonF32 object = files::JsonF32::object();
    for (const auto& [name, number] : values) {
      object[name] = number;
    }
    return object;
  }

  template <class Value>
  files::JsonF32 encode(const std::vector<Value>& values) const {
    files::JsonF32 list = files::JsonF32::array();
    for (const Value& value : values) {
      list.push_back(encode(value));
    }
    return list;
  }

 private:
  template <class Value>
  files::JsonF32 encode(const Value& value) const {
    return value;
  }

  template <class Value>
  files::JsonF32 encode(const std::optional<Value>& value) const {
    return value ? encode(*value) : files::JsonF32();
  }

  files::JsonF32 encode(const std::vector<std::string>& names) const {
    if (kind_ == LabelKind::MultiLabel) {
      return names;
    }
    return names.empty() ? files::JsonF32() : files::JsonF32(names.front());
  }

  files::JsonF32 encode(AnswerSource source) const {
    return std::string(kAnswerSources.name_of(source));
  }

  files::JsonF32 encode(Normalisation normalisation) const {
    return std::string(kNormalisations.name_of(normalisation));
  }

  files::JsonF32 encode(ReadoutPlace place) const {
    return std::string(kReadoutPlaces.name_of(place));
  }

  files::JsonF32 encode(DrawEnd end) const { return std::string(kDrawEnds.name_of(end)); }

  files::JsonF32 encode(SpaceVariant variant) const { return name_of(variant); }

  files::JsonF32 encode(const LikelyToken& token) const {
    return files::JsonF32::array({token.text, token.logit});
  }

  files::JsonF32 encode(const AttentionShare& share) const {
    return files::JsonF32::array({share.weight, share.n_positions});
  }

  files::JsonF32 encode(const LabelAttention& attention) const { return encode_fields(attention); }

  files::JsonF32 encode(const LabelStep& step) const { return encode_fields(step); }

  files::JsonF32 encode(const AnswerReading& reading) const { return encode_fields(reading); }

  files::JsonF32 encode(const ReadoutValues& values) const { return encode_fields(values); }

  files::JsonF32 encode(const SetProbability& set) const { return encode_fields(set); }

  files::JsonF32 encode(const SlotValues& slot) const { return encode_fields(slot); }

  files::JsonF32 encode(const DrawnAnswer& drawn) const { return encode_fields(drawn); }

  template <class Record>
  files::JsonF32 encode_fields(const Record& record) const {
    EntryWriter nested(LabelKind::MultiLabel);  // lists of names that are no answers are lists
    visit_fields(record, nested);
    return nested.take();
  }

  LabelKind kind_;
  files::JsonF32 entry_ = files::JsonF32::object();
};

void add_published_views(const ItemRecord& item, LogLayout layout, files::JsonF32& entry) {
  const EntryWriter writer(item.kind);
  std::vector<LabelValues> steps;
  for (const LabelStep& step : item.label_steps) {
    steps.push_back(label_probs(step));
  }
  if (layout.scores_are_all_steps) {
    entry[kScores] = writer.encode(steps);
  } else {
    entry[kScores] = writer.encode(item.first_probs());
    entry[kAllScores] = writer.encode(steps);
  }
  entry[kLogits] = writer.encode(item.first_logits());
  entry[kLabelFound] = item.is_label_found();
  entry[kFirstIndex] = item.first_label_index();
  if (const auto& tokens = item.likely_tokens(); !tokens.empty()) {
    entry["test_top_token"] = tokens.front().text;
    entry["test_top_token_logit"] = tokens.front().logit;
    entry[kTopTokens] = writer.encode(tokens);
  }
  entry["test_classification_loss"] = 0.0F;
  entry["test_regularization_loss"] = 0.0F;
}

}  // namespace

files::JsonF32 entry_of(const ItemRecord& item, LogLayout layout) {
  EntryWriter writer(item.kind);
  visit_fields(item, [&](const Field& field, const auto& value) {
    if (!item.failure || field.is_of_question) {
      writer(field, value);
    }
  });
  files::JsonF32 entry = writer.take();
  if (!item.failure) {
    add_published_views(item, layout, entry);
  }
  return entry;
}

}  // namespace labelprobe::record
