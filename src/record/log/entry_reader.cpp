#include "record/log/entry_reader.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"

namespace labelprobe::record {

namespace {

// Reads one entry; every failure says the line and the field.
class EntryReader {
 public:
  EntryReader(const EntryPlace& place, const YAML::Node& entry) : place_(place), entry_(entry) {}

  ItemRecord read(const std::string& key) const {
    ItemRecord item;
    item.key = key;
    item.annotator = ItemId::parse(key, ItemId::kind_of(key)).pseudo_annotator();
    const YAML::Node gold = entry_["test_gt"];
    item.kind = gold && gold.IsScalar() ? LabelKind::SingleLabel : LabelKind::MultiLabel;
    item.gold = names("test_gt");
    item.predictions = names("test_preds");
    item.query_text = text("test_text").value_or("");
    item.outs = text("test_outs").value_or("");
    item.residual_outs = text("test_residual_outs").value_or("");
    item.prefix_outs = text("test_prefix_outs");
    item.failure = text("test_failure");
    item.prompt_fingerprint = text("test_prompt_hash").value_or("");
    item.checked_label = text("test_checked_label").value_or("");
    read_scores(item);
    read_answers(item);
    read_tokens(item);
    return item;
  }

 private:
  void read_scores(ItemRecord& item) const {
    // The plain prompting programs log all label steps under test_scores.
    const YAML::Node scores = entry_["test_scores"];
    const YAML::Node all_scores =
        scores && scores.IsSequence() ? scores : entry_["test_all_scores"];
    if (all_scores) {
      for (const YAML::Node& step : all_scores) {
        item.all_scores.push_back(values(step, "test_all_scores"));
      }
    }
    if (scores && scores.IsMap()) {
      item.scores = values(scores, "test_scores");
    } else if (!item.all_scores.empty()) {
      item.scores = item.all_scores.front();
    }
    if (const YAML::Node logits = entry_["test_logits"]; logits && logits.IsMap()) {
      item.label_logits = values(logits, "test_logits");
    }
    item.is_label_found = !item.all_scores.empty();
  }

  void read_answers(ItemRecord& item) const {
    const YAML::Node answers = entry_["test_answers"];
    if (!answers) {
      return;
    }
    if (!answers.IsMap()) {
      fail(answers, "test_answers", "a mapping of greedy, first and healed");
    }
    item.greedy_answer = answer(answers["greedy"]);
    item.first_answer = answer(answers["first"]);
    item.healed_answer = answer(answers["healed"]);
  }

  std::optional<AnswerReading> answer(const YAML::Node& node) const {
    if (!node) {
      return std::nullopt;
    }
    AnswerReading reading;
    const YAML::Node is_top = node.IsMap() ? node["is_top"] : YAML::Node();
    if (!is_top || !node["bare"] || !node["spaced"] || !is_top.IsScalar() ||
        !YAML::convert<bool>::decode(is_top, reading.is_top)) {
      fail(node, "test_answers", "a mapping with bare, spaced and is_top (true or false)");
    }
    reading.bare_probs = values(node["bare"], "test_answers");
    reading.spaced_probs = values(node["spaced"], "test_answers");
    return reading;
  }

  void read_tokens(ItemRecord& item) const {
    if (const YAML::Node top_tokens = entry_["test_top_tokens"]) {
      for (const YAML::Node& top : top_tokens) {
        if (top.size() != 2) {
          fail(top, "test_top_tokens", "[token, logit]");
        }
        item.top_tokens.emplace_back(top[0].as<std::string>(), number(top[1], "test_top_tokens"));
      }
    }
    if (const YAML::Node ids = entry_["test_outs_ids"]) {
      for (const YAML::Node& id : ids) {
        item.outs_ids.push_back(static_cast<TokenId>(integer(id, "test_outs_ids")));
      }
    }
    if (const YAML::Node at = entry_["test_outs_id_index"]) {
      item.outs_id_index = integer(at, "test_outs_id_index");
    }
    if (const YAML::Node n = entry_["test_n_prompt_tokens"]) {
      item.n_prompt_tokens = integer(n, "test_n_prompt_tokens");
    }
  }

  [[noreturn]] void fail(const YAML::Node& node,
                         const std::string& field,
                         const std::string& expected) const {
    const std::size_t line =
        place_.first_line + static_cast<std::size_t>(std::max(node.Mark().line, 0)) + 1;
    throw DataError(place_.file + ":" + std::to_string(line) + ": " + field + ": expected " +
                    expected + (node.IsScalar() ? ", found '" + node.Scalar() + "'" : ""));
  }

  std::optional<std::string> text(const std::string& field) const {
    const YAML::Node node = entry_[field];
    if (!node || node.IsNull()) {
      return std::nullopt;
    }
    if (!node.IsScalar()) {
      fail(node, field, "a text");
    }
    return node.Scalar();
  }

  std::vector<std::string> names(const std::string& field) const {
    const YAML::Node node = entry_[field];
    std::vector<std::string> found;
    if (node && node.IsScalar()) {
      found.push_back(node.Scalar());
    } else if (node && node.IsSequence()) {
      for (const YAML::Node& name : node) {
        found.push_back(name.as<std::string>());
      }
    }
    return found;
  }

  LabelValues values(const YAML::Node& node, const std::string& field) const {
    if (!node.IsMap()) {
      fail(node, field, "a mapping of label names to numbers");
    }
    LabelValues found;
    for (const auto& entry : node) {
      found.emplace_back(entry.first.Scalar(), number(entry.second, field));
    }
    return found;
  }

  float number(const YAML::Node& node, const std::string& field) const {
    float parsed = 0.0F;
    if (!node.IsScalar() || !YAML::convert<float>::decode(node, parsed)) {
      fail(node, field, "a number");
    }
    return parsed;
  }

  std::int64_t integer(const YAML::Node& node, const std::string& field) const {
    std::int64_t parsed = 0;
    if (!node.IsScalar() || !YAML::convert<std::int64_t>::decode(node, parsed)) {
      fail(node, field, "an integer");
    }
    return parsed;
  }

  const EntryPlace& place_;
  const YAML::Node& entry_;
};

}  // namespace

ItemRecord read_entry(const EntryPlace& place, const std::string& key, const YAML::Node& entry) {
  return EntryReader(place, entry).read(key);
}

}  // namespace labelprobe::record
