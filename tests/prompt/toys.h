// Small training sets of the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/prompt/queries.h"

namespace labelprobe::prompt {

inline Example toy_example(int position, Labels labels, std::string annotator = "aggregate") {
  const std::string number = std::to_string(position);
  return {"t" + number, std::move(annotator), "text " + number, std::move(labels)};
}

// 60 items, labels a, b, c, d; item i by i mod 6: {a}, {b}, {a, c}, {}, {d}, {b, c, d}.
inline LabelSet toy_m_labels() {
  return LabelSet({"a", "b", "c", "d"}, LabelKind::MultiLabel);
}

inline std::vector<Example> toy_m() {
  const std::vector<Labels> kinds = {{0}, {1}, {0, 2}, {}, {3}, {1, 2, 3}};
  std::vector<Example> items;
  for (int i = 0; i < 60; ++i) {
    items.push_back(toy_example(i, kinds[static_cast<std::size_t>(i % 6)]));
  }
  return items;
}

// 1000 items of one class each: (i^2 + floor(i / 3)) mod 3 of hate, normal, offensive.
inline LabelSet toy_s_labels() {
  return LabelSet({"hate", "normal", "offensive"}, LabelKind::SingleLabel);
}

inline std::vector<Example> toy_s() {
  std::vector<Example> items;
  for (int i = 0; i < 1000; ++i) {
    items.push_back(toy_example(i, {(i * i + i / 3) % 3}));
  }
  return items;
}

// The worked example of the published prompts.
inline LabelSet toy_go_emotions_labels() {
  return LabelSet({"joy", "optimism", "admiration", "surprise", "fear", "sadness", "anger"},
                  LabelKind::MultiLabel);
}

inline std::vector<Example> toy_go_emotions() {
  const std::vector<std::pair<std::string, Labels>> rows = {
      {"What a lovely day!", {0}},
      {"I can't believe you did that.", {3, 6}},
      {"Thanks, this made me smile", {0, 2}},
      {"Ok.", {}},
      {"So scared and so sad", {4, 5}},
      {"Hope it works out", {1}},
      {"Why would he do that?", {3}},
      {"This is gross and I hate it", {6}},
      {"Well done, I am proud and happy", {0, 2}},
      {"The bus leaves at nine", {}},
      {"I miss my dog", {5}},
      {"He is a hero, good luck to him", {1, 2}},
  };
  std::vector<Example> train;
  for (const auto& [text, labels] : rows) {
    train.push_back({"t" + std::to_string(train.size()), "aggregate", text, labels});
  }
  return train;
}

// Those of the published GoEmotions pipeline, with four demonstrations.
inline QueryOptions pipeline_options() {
  TemplateOptions given;
  given.system = std::string(" ");
  given.instruction =
      "Classify the following inputs into none, one, or multiple the following emotions per input: "
      "{labels}. Output "
      "exactly these emotions and no others.\n";
  given.incontext = std::string("Input: {text}\n{label}\n");
  given.label_format = LabelFormat::parse("json");
  QueryOptions options;
  options.templates = Templates::resolve(given, toy_go_emotions_labels());
  options.sampling = SamplingStrategy::parse("multilabel");
  options.n_shots = 4;
  return options;
}

}  // namespace labelprobe::prompt
