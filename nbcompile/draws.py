"""Draws: library calls that draw from a process-wide random generator, and when they do not.

`train_test_split(X)` draws from `numpy.random` unless it is given a `random_state`. The names are
those of scikit-learn 1.9, SciPy 1.17, NetworkX 3.6, seaborn 0.13, imbalanced-learn 0.14, tslearn
0.10 and DEAP 1.4 whose `random_state`, `seed` or `rng` is None by default; left out are those that
draw only with certain options, which a run tells.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SKLEARN = frozenset(
    """AdaBoostClassifier AdaBoostRegressor AffinityPropagation BaggingClassifier BaggingRegressor
    BayesianGaussianMixture BernoulliRBM BisectingKMeans DecisionTreeClassifier
    DecisionTreeRegressor DictionaryLearning EllipticEnvelope ExtraTreeClassifier
    ExtraTreeRegressor ExtraTreesClassifier ExtraTreesRegressor FastICA GaussianMixture
    GaussianRandomProjection GradientBoostingClassifier GradientBoostingRegressor
    GroupShuffleSplit HistGradientBoostingClassifier HistGradientBoostingRegressor
    IsolationForest KMeans LatentDirichletAllocation LinearSVC LinearSVR MDS MLPClassifier
    MLPRegressor MinCovDet MiniBatchDictionaryLearning MiniBatchKMeans MiniBatchNMF
    MiniBatchSparsePCA NeighborhoodComponentsAnalysis Nystroem OutputCodeClassifier
    ParameterSampler PolynomialCountSketch QuantileTransformer RANSACRegressor RBFSampler
    RandomForestClassifier RandomForestRegressor RandomTreesEmbedding RandomizedSearchCV
    RepeatedKFold RepeatedStratifiedKFold SGDClassifier SGDOneClassSVM SGDRegressor ShuffleSplit
    SkewedChi2Sampler SparsePCA SparseRandomProjection SpectralBiclustering SpectralClustering
    SpectralCoclustering SpectralEmbedding StratifiedShuffleSplit TSNE TheilSenRegressor
    TruncatedSVD affinity_propagation dict_learning dict_learning_online fast_mcd fastica k_means
    kmeans_plusplus make_biclusters make_blobs make_checkerboard make_circles make_classification
    make_friedman1 make_friedman2 make_friedman3 make_gaussian_quantiles make_hastie_10_2
    make_low_rank_matrix make_moons make_multilabel_classification make_regression make_s_curve
    make_sparse_coded_signal make_sparse_spd_matrix make_sparse_uncorrelated make_spd_matrix
    make_swiss_roll mutual_info_classif mutual_info_regression permutation_importance
    quantile_transform randomized_svd resample sample_without_replacement shuffle smacof
    spectral_clustering spectral_embedding train_test_split""".split()
)
_SCIPY = frozenset(
    """bootstrap permutation_test goodness_of_fit multiscale_graphcorr dunnett basinhopping
    differential_evolution dual_annealing kmeans kmeans2""".split()
)
#: drawing with `random` or with `numpy.random`, each in its own way
_NETWORKX = frozenset(
    """algebraic_connectivity arf_layout barabasi_albert_graph binomial_graph configuration_model
    connected_double_edge_swap connected_watts_strogatz_graph dense_gnm_random_graph
    directed_configuration_model directed_edge_swap double_edge_swap dual_barabasi_albert_graph
    duplication_divergence_graph erdos_renyi_graph expected_degree_graph
    extended_barabasi_albert_graph fast_gnp_random_graph fiedler_vector forceatlas2_layout
    fruchterman_reingold_layout gaussian_random_partition_graph geographical_threshold_graph
    gn_graph gnc_graph gnm_random_graph gnp_random_graph gnr_graph lattice_reference
    maximal_independent_set navigable_small_world_graph newman_watts_strogatz_graph omega
    partial_duplication_graph planted_partition_graph powerlaw_cluster_graph
    random_clustered_graph random_degree_sequence_graph random_geometric_graph
    random_internet_as_graph random_k_out_graph random_labeled_tree random_layout random_lobster
    random_partition_graph random_powerlaw_tree random_reference random_regular_graph
    random_shell_graph random_spanning_tree relaxed_caveman_graph scale_free_graph sigma
    soft_random_geometric_graph spring_layout stochastic_block_model
    thresholded_random_geometric_graph watts_strogatz_graph waxman_graph""".split()
)
_SEABORN = frozenset("barplot catplot lineplot lmplot pointplot regplot".split())
_IMBLEARN = frozenset(
    """ADASYN BalancedBaggingClassifier BalancedRandomForestClassifier BorderlineSMOTE
    ClusterCentroids CondensedNearestNeighbour EasyEnsembleClassifier InstanceHardnessThreshold
    KMeansSMOTE OneSidedSelection RUSBoostClassifier RandomOverSampler RandomUnderSampler SMOTE
    SMOTEENN SMOTEN SMOTENC SMOTETomek SVMSMOTE make_imbalance""".split()
)
_TSLEARN = frozenset(
    """KShape KernelKMeans LearningShapelets TimeSeriesKMeans TimeSeriesMLPClassifier
    TimeSeriesMLPRegressor random_walk_blobs random_walks""".split()
)
_DEAP = frozenset("eaGenerateUpdate eaMuCommaLambda eaMuPlusLambda eaSimple varAnd varOr".split())
#: by package: what of it draws, and from which generators
_LIBRARIES: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "sklearn": (_SKLEARN, ("numpy_random",)),
    "scipy": (_SCIPY, ("numpy_random",)),
    "networkx": (_NETWORKX, ("random", "numpy_random")),
    "seaborn": (_SEABORN, ("numpy_random",)),
    "imblearn": (_IMBLEARN, ("numpy_random",)),
    "tslearn": (_TSLEARN, ("numpy_random",)),
    "deap": (_DEAP, ("random",)),
    # its sampler begins with a copy of the state
    "emcee": (frozenset({"EnsembleSampler"}), ("numpy_random",)),
}
#: methods that draw, of distributions and of frames
_METHODS = frozenset(("rvs", "sample"))
#: arguments that give the generator, or its seed
_GIVEN = frozenset(("random_state", "seed", "rng", "generator"))

#: what of PyTorch neither draws nor leads to a draw
_TORCH_STEADY = frozenset(
    """arange as_tensor cat device empty equal from_numpy full is_tensor linspace load no_grad ones
    save set_default_dtype set_num_threads set_printoptions stack tensor where zeros
    initial_seed get_rng_state""".split()
)


def hidden_draws(call: ast.Call, name: str | None) -> Iterator[str]:
    """The generators that a call may draw from though it does not name them.

    ``name`` is the dotted name that is called, where it is one of an imported module.
    """
    given = {one.arg for one in call.keywords}
    if name is None:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method in _METHODS and not given & _GIVEN:
            yield "numpy_random"
        elif method == "backward":
            yield "torch_random"
        return
    package, _, rest = name.partition(".")
    last = rest.rpartition(".")[2]
    if package == "torch":
        # the layers that it makes, the loaders that it iterates: most of it may draw
        if last not in _TORCH_STEADY and not rest.startswith(("cuda.", "backends.")):
            yield "torch_random"
        return
    drawing, kinds = _LIBRARIES.get(package, (frozenset(), ()))
    if not given & _GIVEN and (last in drawing or (package == "scipy" and last == "rvs")):
        yield from kinds
