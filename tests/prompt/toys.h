// Small training sets of the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/core/example.h"

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

}  // namespace labelprobe::prompt
