#include "app/options/inside_options.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

constexpr int kBehindFinalNorm = -1;

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// "0", "-1", "last", "4-8"
void add_layers(std::vector<int>& layers, const std::string& text, const std::string& place) {
  const auto refuse = [&] {
    throw ConfigError(fmt::format(
        "{}: expected a layer from 0 on, a range like 4-8, or -1 (behind the final norm), found "
        "'{}'",
        place, text));
  };
  const std::size_t dash = text.find('-', 1);
  if (dash == std::string::npos) {
    const std::optional<int> layer = whole_number(text);
    if (!layer || *layer < kBehindFinalNorm) refuse();
    layers.push_back(*layer);
    return;
  }
  const std::optional<int> first = whole_number(std::string_view(text).substr(0, dash));
  const std::optional<int> last = whole_number(std::string_view(text).substr(dash + 1));
  if (!first || !last || *first < 0 || *last < *first) refuse();
  for (int layer = *first; layer <= *last; ++layer) layers.push_back(layer);
}

std::vector<int> parse_layers(const Given& given) {
  std::vector<int> layers;
  for (const std::string& value : given.values) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (end > begin) add_layers(layers, value.substr(begin, end - begin), given.place);
      begin = end + 1;
    }
  }
  std::vector<int> sorted = layers;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    throw ConfigError(fmt::format("{}: layer {} is named twice", given.place, *twice));
  }
  return layers;
}

}  // namespace

void declare_inside(OptionList& options, experiment::Settings& settings) {
  experiment::InsideSettings& inside = settings.inside;
  options.begin_group("Inside the model");
  options.add_special(
      OptionKind::TextList, &inside.hidden_layers,
      {.name = "hidden_states",
       .help = "Layers whose states are kept in hidden_states_<i>.safetensors: 0 is the embedding, "
               "l comes after layer l, -1 after the final norm; 4-8 is a range",
       .value = "LAYER"},
      [&inside](const Given& given) { inside.hidden_layers = parse_layers(given); });
  options.add_parsed(inside.at,
                     {.name = "at",
                      .help = "Where: first-label and every-label are the places that predict a "
                              "label's first token, last-prompt is the prompt's last token",
                      .fallback = "first-label",
                      .value = "PLACE",
                      .choices = experiment::kLookAts.names()},
                     [](const std::string& name) { return experiment::kLookAts.parse(name); });
  options.add(inside.logs_attention,
              {.name = "attention",
               .help = "Log the share of attention that the prompt, the answer so far and its "
                       "labels get at each label step from the second on"});
  options.add(inside.keeps_head_attention,
              {.name = "attention_heads",
               .help = "Keep these shares of every layer and head in attention_<i>.safetensors"});
  options.add_special(OptionKind::Flag, &inside,
                      {.name = "linear_probing",
                       .help = "What the published runs keep for probes: the same as "
                               "--hidden-states -1 --attention"},
                      [&inside](const Given& given) {
                        if (given.values.front() != "true") return;
                        if (inside.hidden_layers.empty()) inside.hidden_layers = {kBehindFinalNorm};
                        inside.logs_attention = true;
                      });
  options.afterwards([&] {
    if (inside.is_asked_for() && !settings.plan->lists_labels) {
      throw ConfigError(
          fmt::format("the model's insides are looked at where answers list labels; those of plan "
                      "'{}' do not",
                      settings.plan->name));
    }
    if (inside.is_asked_for() && !settings.cot_csv.empty()) {
      throw ConfigError(
          "the model's insides are not looked at behind a chain of thought; leave out --cot-csv");
    }
  });
}

}  // namespace labelprobe::app
