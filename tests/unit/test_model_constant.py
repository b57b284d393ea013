import numpy as np

from updraft.model.constant import Constant


def test_no_feature_contributes_and_the_base_is_the_log_odds():
    matrix = np.full((2, 3), np.nan)
    shares = Constant(-1.5).contributions(matrix)
    assert shares.tolist() == [[0.0, 0.0, 0.0, -1.5]] * 2
    assert shares.sum(axis=1).tolist() == Constant(-1.5).log_odds(matrix).tolist()


def test_what_is_written_reads_back_equal():
    assert Constant.parse(Constant(-1.5).dump()) == Constant(-1.5)
