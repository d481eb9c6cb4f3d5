#include "app/options/readout_options.h"

#include <string>
#include <vector>

#include "labelprobe/readout/readouts.h"

namespace labelprobe::app {

namespace {

std::vector<std::string> readout_names() {
  std::vector<std::string> names;
  for (const readout::Readout& readout : readout::readouts()) names.emplace_back(readout.name);
  return names;
}

void declare_search(OptionList& options, readout::ReadoutOptions& readout) {
  options.add(readout.delta, {.name = "readout_delta",
                              .help = "marginal_*: as close as the bounds of each label are to be",
                              .fallback = "0.001",
                              .value = "P"});
  options.add(readout.max_nodes,
              {.name = "readout_nodes",
               .help = "marginal_*: beginnings of answers that are looked at, at most",
               .fallback = "256",
               .least = 1});
  options.add(readout.max_places, {.name = "readout_places",
                                   .help = "Tokens computed for all readouts of a prompt, at most",
                                   .fallback = "512",
                                   .least = 1});
  options.add(readout.n_sets, {.name = "readout_sets",
                               .help = "marginal_*: most probable label sets that are logged",
                               .fallback = "8",
                               .least = 0});
  options.add(readout.open_tokens,
              {.name = "readout_open_tokens",
               .help = "marginal_bytes: the prompt's last tokens that may be divided otherwise",
               .fallback = "4",
               .least = 1});
  options.add(readout.n_beams, {.name = "readout_beams",
                                .help = "beam_sum: answers that are followed together",
                                .fallback = "8",
                                .least = 1});
  options.add(readout.n_samples, {.name = "readout_samples",
                                  .help = "mc, mc_rb: answers drawn, by --seed",
                                  .fallback = "200",
                                  .least = 1});
}

}  // namespace

void declare_readouts(OptionList& options, experiment::ReadoutSettings& readouts) {
  readout::ReadoutOptions& readout = readouts.options;
  options.begin_group("Readouts");
  options.add(readouts.names,
              {.name = "readouts",
               .help = "What else to read off the model, e.g. marginal_exact,mc_rb; see "
                       "labelprobe ls readouts",
               .shown = Shown::First,
               .value = "NAME",
               .choices = readout_names(),
               .has_commas = true});
  declare_search(options, readout);
  options.add_parsed(readout.tokenisation,
                     {.name = "readout_tokenisation",
                      .help = "any: every way to spell an answer in tokens counts; canonical: only "
                              "the tokenizer's own",
                      .fallback = "any",
                      .choices = readout::kTokenisations.names()},
                     [](const std::string& name) { return readout::kTokenisations.parse(name); });
  options.add_parsed(readout.bounds_from,
                     {.name = "readout_bounds",
                      .help = "greedy_bounds: from the answer alone, or from the labels' tokens at "
                              "each slot too",
                      .fallback = "answer",
                      .choices = readout::kBoundsFrom.names()},
                     [](const std::string& name) { return readout::kBoundsFrom.parse(name); });
  options.add(readout.include_all_tokens,
              {.name = "readout_all_tokens",
               .help = "marginal_fixed: every token enters the product, not the completing ones "
                       "alone"});
  options.add_parsed(readout.walk_stops,
                     {.name = "readout_walk_stops",
                      .help = "marginal_any: published = gives up where the published walk does",
                      .fallback = "published",
                      .choices = readout::kWalkStops.names()},
                     [](const std::string& name) { return readout::kWalkStops.parse(name); });
  options.add(readout.top_p, {.name = "readout_top_p",
                              .help = "marginal_any: likeliest tokens up to this sum",
                              .fallback = "0.99",
                              .value = "P"});
  options.add(readout.eps, {.name = "readout_eps",
                            .help = "marginal_any: less probable beginnings are left aside",
                            .fallback = "0.01",
                            .value = "P"});
  options.add_parsed(readout.length_unit,
                     {.name = "readout_length_unit",
                      .help = "length_normalised: what log-probabilities are divided by",
                      .fallback = "token",
                      .choices = readout::kLengthUnits.names()},
                     [](const std::string& name) { return readout::kLengthUnits.parse(name); });
  options.add(readout.forced_prefix, {.name = "readout_forced_prefix",
                                      .help = "forced_prefix: how the answer is made to begin",
                                      .value = "TEXT"});
}

}  // namespace labelprobe::app
