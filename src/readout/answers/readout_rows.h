// What the rows of readouts() are made of.
#pragma once

#include <memory>

#include "readout/answers/inquiry.h"

namespace labelprobe::readout {

using InquiryPtr = std::unique_ptr<Inquiry>;

InquiryPtr make_first_token(const InquiryInput& input);
InquiryPtr make_slot_trie(const InquiryInput& input);
InquiryPtr make_hazard_union(const InquiryInput& input);
InquiryPtr make_length_normalised(const InquiryInput& input);
InquiryPtr make_forced_prefix(const InquiryInput& input);
InquiryPtr make_forced_matrix(const InquiryInput& input);
InquiryPtr make_token_probability(const InquiryInput& input);
InquiryPtr make_marginal_fixed(const InquiryInput& input);
InquiryPtr make_greedy_bounds(const InquiryInput& input);
InquiryPtr make_marginal_exact(const InquiryInput& input);
InquiryPtr make_marginal_complete(const InquiryInput& input);
InquiryPtr make_marginal_given_valid(const InquiryInput& input);
InquiryPtr make_marginal_bytes(const InquiryInput& input);
InquiryPtr make_marginal_any(const InquiryInput& input);
InquiryPtr make_beam_sum(const InquiryInput& input);
InquiryPtr make_mc(const InquiryInput& input);
InquiryPtr make_mc_rb(const InquiryInput& input);

// Readout::check of the rows that have one.
void check_first_tokens(const AnswerFormat& format,
                        const tokenizer::Tokenizer& tokenizer,
                        const ReadoutOptions& options);
void check_forced_prefix(const AnswerFormat& format,
                         const tokenizer::Tokenizer& tokenizer,
                         const ReadoutOptions& options);
void check_forced_matrix(const AnswerFormat& format,
                         const tokenizer::Tokenizer& tokenizer,
                         const ReadoutOptions& options);

void check_marginal_bytes(const AnswerFormat& format,
                          const tokenizer::Tokenizer& tokenizer,
                          const ReadoutOptions& options);

// What all params begin with: the settings of the format and the answer.
std::string common_params(const AnswerFormat& format, const ReadoutOptions& options);

}  // namespace labelprobe::readout
