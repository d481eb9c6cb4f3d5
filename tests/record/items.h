// Items and requests that the tests of this room share.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "labelprobe/record/run.h"

namespace labelprobe::record {

// A step as a log of probabilities alone has it.
inline LabelStep step_of(LabelValues probs) {
  LabelStep step;
  step.logged_probs = std::move(probs);
  return step;
}

// A readout with all that readouts have.
inline ReadoutValues make_readout(const std::string& name) {
  ReadoutValues values;
  values.name = name;
  values.params = "completion lookahead, delta 1e-06";
  values.place = ReadoutPlace::Healed;
  values.normalisation = Normalisation::Answer;
  values.probs = {{"joy", 0.6f}, {"fear", 1e-9f}};
  values.lower = {{"joy", 0.59999f}, {"fear", 0.0f}};
  values.upper = {{"joy", 0.60001f}, {"fear", 2e-9f}};
  values.std_errors = {{"joy", 0.01f}, {"fear", 1e-10f}};
  values.empty = 0.125f;
  values.off_format = 0.0f;
  values.unexplored = 1e-7f;
  values.label_mass = 0.99f;
  values.sets = {{{"fear", "joy"}, 0.5f}, {{}, 0.125f}, {{"joy"}, 0.1f}};
  values.slots = {{1, 2, {}, "joy", {{"joy", 0.75f}, {"fear", 0.25f}}, 0.0625f, {}, 0.9f, 0.1f},
                  {2, 5, {"joy"}, "", {{"joy", 1e-7f}, {"fear", 0.5f}}, {}, 0.25f, 0.5f, 0.25f}};
  values.forced = {{2, 4, {"fear"}, "", {{"joy", 1.0f}, {"fear", 0.0f}}, {}, 0.75f, 0.2f, 0.05f}};
  values.drawn = {{"joy, fear", DrawEnd::Closed, 60},
                  {" \"joy\"\n: yes", DrawEnd::OffFormat, 25},
                  {"", DrawEnd::Cut, 15}};
  values.n_extra_tokens = 7;
  values.n_nodes = 12;
  values.n_samples = 100;
  return values;
}

// One that has a name and nothing else.
inline ReadoutValues make_bare_readout(const std::string& name) {
  ReadoutValues values;
  values.name = name;
  return values;
}

inline ItemRecord make_item(const std::string& key) {
  ItemRecord item;
  item.key = key;
  const std::size_t separator = key.find("__");
  item.annotator = separator == std::string::npos ? "aggregate" : key.substr(separator + 2);
  item.query_text = "text of " + key + ": \"quoted\"\nsecond line";
  item.gold = {"joy"};
  item.predictions = {"fear", "joy"};
  item.label_steps = {{.index = 0,
                       .variant = SpaceVariant::Bare,
                       .logits = {{"joy", 12.25f}, {"fear", 11.0f}, {"none", -3.5f}},
                       .other_logits = {{"joy", 2.5f}, {"fear", -1e-7f}, {"none", 0.0f}},
                       .log_sum_exp = 13.5f,
                       .vocab_entropy = 0.75f,
                       .likely_tokens = {{"joy", 12.25f}, {"\n", 1.0f}},
                       .logged_probs = {{"joy", 0.7f}, {"fear", 0.2f}, {"none", 0.1f}}},
                      {.index = 2,
                       .variant = SpaceVariant::Spaced,
                       .logits = {{"joy", -4.0f}, {"fear", 11.5f}, {"none", 11.5f}},
                       .other_logits = {{"joy", 1.0f}, {"fear", 2.0f}, {"none", 3.0f}},
                       .log_sum_exp = 12.5f,
                       .vocab_entropy = {},
                       .likely_tokens = {{" fear", 11.5f}, {" none", 11.5f}},
                       .logged_probs = {{"joy", 1e-7f}, {"fear", 0.5f}, {"none", 0.4999999f}}}};
  item.outs = "joy, fear";
  item.residual_outs = "Input:";
  item.outs_ids = {12, 5, 900};
  item.label_attention = {{{0.75f, 321}}, {{0.25f, 2}}, {{0.125f, 2}}, {{0.0625f, 1}}};
  item.n_prompt_tokens = 321;
  item.prompt_fingerprint = "00ff";
  return item;
}

// An item of a unary prompt of a single-label set, with all that such items have of their own.
inline ItemRecord make_word_item(const std::string& key) {
  ItemRecord item = make_item(key);
  item.kind = LabelKind::SingleLabel;
  item.annotator = "aggregate_unary_joy";
  item.predictions = {"reasonable"};
  item.label_steps.resize(1);
  item.label_steps[0].logits = {{"reasonable", 2.5f}, {"unreasonable", -1.0f}};
  item.label_steps[0].other_logits = {{"reasonable", 0.5f}, {"unreasonable", 0.25f}};
  item.label_steps[0].logged_probs = {{"reasonable", 0.75f}, {"unreasonable", 0.25f}};
  item.greedy_answer = {{{"reasonable", 0.3f}, {"unreasonable", 0.1f}},
                        {{"reasonable", 1e-6f}, {"unreasonable", 0.0f}},
                        true};
  item.first_answer = {{{"reasonable", 0.001f}, {"unreasonable", 0.002f}},
                       {{"reasonable", 0.003f}, {"unreasonable", 0.004f}},
                       false};
  item.healed_answer = {{{"reasonable", 0.01f}, {"unreasonable", 0.02f}},
                        {{"reasonable", 0.9f}, {"unreasonable", 0.05f}},
                        true};
  return item;
}

// An item whose answer states a number for all labels but one.
inline ItemRecord make_verbalized_item(const std::string& key) {
  ItemRecord item = make_item(key);
  item.label_steps.clear();
  item.outs = "joy: 35, fear: 80";
  item.predictions = {"fear"};
  item.opening_tokens = {{"joy", 12.25f}, {"fear", 1.0f}};
  item.reported_probs = {{"joy", 0.35f}, {"fear", 0.8f}};
  item.expected_probs = {{"joy", 0.3512345f}, {"fear", 0.79f}};
  item.number_mass = {{"joy", 0.98f}, {"fear", 0.9999999f}};
  return item;
}

// The example of the published logs: a baseline run of the pipelines.
inline RunRequest make_request(const std::filesystem::path& log_root, std::int64_t seed = 0) {
  RunRequest request;
  request.log_root = log_root;
  request.category = "MFRC";
  request.contents = {{"prompts", "contents-1"}};
  request.params = {
      {"task", std::string("MFRC")},
      {"distribution", std::string("baseline"), true, 3},
      {"model_name_or_path", std::string("meta-llama/Llama-3.1-8B"), true, 2},
      {"shot", std::int64_t{10}, true, 1},
      {"sampling_strategy", std::string("multilabel"), true, 1},
      {"label_mode", std::monostate(), true, 1},
      {"query_label_mode", std::monostate(), true, 1},
      {"annotation_mode", std::string("aggregate"), true, 0},
      {"label_format", std::string("json"), true, 0},
      {"word_embeddings_model", std::monostate(), true, 0},
      {"incontext_prompt", std::string("Input: {text}\n{label}\n")},
      {"train_splits", std::vector<std::string>{"train"}},
      {"cot_randomize", false},
      {"model_dtype_scale", 0.5},
      {"seed", seed, false, {}, Bearing::Repetition},
      {"logging_level", std::string("debug"), false, {}, Bearing::Process},
  };
  return request;
}

inline Param& param_of(RunRequest& request, const std::string& name) {
  for (Param& param : request.params) {
    if (param.name == name) {
      return param;
    }
  }
  throw std::out_of_range(name);
}

// As the log has it: label values sorted by name.
inline ItemRecord sorted(ItemRecord item) {
  item.known_form = &item.form();
  for (auto& step : item.label_steps) {
    std::sort(step.logits.begin(), step.logits.end());
    std::sort(step.other_logits.begin(), step.other_logits.end());
    std::sort(step.logged_probs.begin(), step.logged_probs.end());
  }
  std::sort(item.stand_in_probs.begin(), item.stand_in_probs.end());
  for (auto* answer : {&item.greedy_answer, &item.first_answer, &item.healed_answer}) {
    if (*answer) {
      std::sort((*answer)->bare_probs.begin(), (*answer)->bare_probs.end());
      std::sort((*answer)->spaced_probs.begin(), (*answer)->spaced_probs.end());
    }
  }
  for (ReadoutValues& readout : item.readouts) {
    for (auto* values : {&readout.probs, &readout.lower, &readout.upper, &readout.std_errors}) {
      std::sort(values->begin(), values->end());
    }
    for (auto* slots : {&readout.slots, &readout.forced}) {
      for (SlotValues& slot : *slots) std::sort(slot.probs.begin(), slot.probs.end());
    }
  }
  return item;
}

}  // namespace labelprobe::record
